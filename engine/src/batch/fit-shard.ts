import type { Shard, ShardContent } from '../codec/shard.ts'
import { encodeModel } from '../facade.ts'
import { type AnyModel, type AnySpec, defaultSpec } from '../families.ts'
import type { Outcome, Refusal, Run, Series } from '../family.ts'
import { fitOneOfMany } from './fit-many.ts'
import { seriesAt } from './shard-data.ts'

export type ShardRun = Run & {
  /** Told the place of each series before it is fitted. */
  readonly onSeries?: (place: number) => void
  /** Series that are not to be fitted as asked, such as those that ended a thread, and why. */
  readonly passedOver?: ReadonlyMap<number, string>
}

/** What became of the series of a shard. */
export type FittedShard = {
  /** Models as payloads; the columns say what they are. */
  readonly content: ShardContent
  /** How many series have which code. */
  readonly codes: Readonly<Record<string, number>>
  /** Whether the run was told to stop: then the content is not whole, and good for nothing. */
  readonly isStopped: boolean
}

/**
 * Fits each series of a shard of data (`encodeShardData`), seeded by its key. One that the spec
 * refuses is given the default model, and one that even that refuses none; its `code` is why, and
 * `ok` where all went as asked. The other columns: `detail` of the code, `family` of the model (empty
 * without one), `start`, `frequency` and `steps` of its calendar, `observed` values.
 */
export function fitShard(data: Shard, spec: AnySpec, run: ShardRun): FittedShard {
  const { onSeries, passedOver, onProgress, ...own } = run
  const rows: Row[] = []
  for (let place = 0; place < data.count; place++) {
    if (run.shouldStop?.()) break
    onSeries?.(place)
    const series = seriesAt(data, place)
    const why = passedOver?.get(place)
    rows.push(why === undefined ? fitted(series, spec, own) : fallen(series, passed(why), own))
    onProgress?.((place + 1) / data.count)
  }
  const codes: Record<string, number> = {}
  for (const { code } of rows) codes[code] = (codes[code] ?? 0) + 1
  const isStopped = rows.length < data.count || run.shouldStop?.() === true
  return { content: contentOf(data, rows), codes, isStopped }
}

type Row = {
  readonly code: string
  readonly detail: string
  readonly model: AnyModel | null
  readonly series: Series
}

const passed = (code: string): Refusal => ({
  code,
  detail: 'This series was passed over, and has the simplest model that there is.',
})

function fitted(series: Series, spec: AnySpec, run: Run): Row {
  const outcome = fitOneOfMany(series, 0, spec, run)
  if (outcome.kind !== 'refused') return { code: 'ok', detail: '', model: outcome.value, series }
  return spec.family === defaultSpec.family
    ? fallen(series, outcome.reason, run)
    : reserved(series, outcome.reason, run)
}

/** The default model in place of the one that was asked for. */
function reserved(series: Series, reason: Refusal, run: Run): Row {
  const outcome = fitOneOfMany(series, 0, defaultSpec, run)
  return outcome.kind === 'refused' ? fallen(series, reason, run) : rowOf(series, reason, outcome)
}

/** The last value goes on, where there is one. */
function fallen(series: Series, reason: Refusal, run: Run): Row {
  return rowOf(series, reason, fitOneOfMany(series, 0, lastSpec, run))
}

const lastSpec: AnySpec = { family: 'baseline', method: 'naive', window: 1, seasonLength: null }

function rowOf(series: Series, { code, detail }: Refusal, outcome: Outcome<AnyModel>): Row {
  const model = outcome.kind === 'refused' ? null : outcome.value
  return { code, detail, model, series }
}

function contentOf(data: Shard, rows: readonly Row[]): ShardContent {
  const words = (name: string) => {
    const column = data.columns.get(name)
    return rows.map((_, place) => (Array.isArray(column) ? (column[place] as string) : ''))
  }
  return {
    keys: rows.map((_, place) => data.keyAt(place)),
    columns: {
      code: rows.map(({ code }) => code),
      detail: rows.map(({ detail }) => detail),
      family: rows.map(({ model }) => model?.family ?? ''),
      start: words('start'),
      frequency: words('frequency'),
      steps: Int32Array.from(rows, ({ series }) => series.y.length),
      observed: Int32Array.from(rows, ({ series }) => observed(series.y)),
    },
    payloads: rows.map(({ model }) => (model === null ? new Uint8Array(0) : encodeModel(model))),
  }
}

function observed(y: Float64Array): number {
  let count = 0
  for (const value of y) if (!Number.isNaN(value)) count++
  return count
}
