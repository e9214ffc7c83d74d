import type { TableProgress, TableSummary } from '@almanac/tables'
import type { NodeContext } from '../../base/context.ts'

type Phase = 'fetch' | TableProgress['phase'] | 'fit'

/** What is measured of one try to read a table, which begins with its coming here. */
export type TableMeter = {
  readonly phase: (phase: Phase) => void
  readonly rows: (summary: TableSummary) => void
  readonly end: (outcome: string) => void
}

export function meterTable({ clock, metrics }: Pick<NodeContext, 'clock' | 'metrics'>): TableMeter {
  let current: Phase = 'fetch'
  let sinceMs = clock.monotonicMs()
  const close = () => {
    const nowMs = clock.monotonicMs()
    metrics.tableSeconds.observe({ phase: current }, (nowMs - sinceMs) / 1_000)
    sinceMs = nowMs
  }
  return {
    phase: (phase) => {
      if (phase === current) return
      close()
      current = phase
    },
    rows: ({ rows, rejected, dropped }) => {
      metrics.tableRows.inc({ outcome: 'used' }, Math.max(0, rows - rejected - dropped))
      metrics.tableRows.inc({ outcome: 'rejected' }, rejected)
      metrics.tableRows.inc({ outcome: 'dropped' }, dropped)
    },
    end: (outcome) => {
      close()
      metrics.tables.inc({ outcome })
    },
  }
}
