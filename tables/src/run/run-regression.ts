import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RegressionSpec } from '../regress/spec.ts'
import { askChild } from './ask-child.ts'
import type { RegressionFitted, TableProgress, TableSummary } from './protocol.ts'
import { runTable, type TableResult, type TableRun } from './run-table.ts'

export type RegressionRun = Omit<TableRun, 'cleanFile' | 'shardSeries'> & {
  readonly spec: RegressionSpec
}

export type RegressionConsumer = {
  readonly progress?: (progress: TableProgress) => void
  /** Of the fit, which follows the reading: from 0 to 1. */
  readonly fitting?: (fraction: number) => void
}

export type RegressionResult =
  | {
      readonly kind: 'done'
      readonly summary: TableSummary
      readonly fitted: RegressionFitted
      /** As `decodeRegression` reads it. */
      readonly model: Uint8Array
    }
  | Exclude<TableResult, { readonly kind: 'done' }>

/**
 * Fits a regression to the rows that a recipe makes of a table: reads and fits in processes of
 * their own, one after the other, so that each has the memory for itself. Throws the signal's
 * reason.
 */
export async function runRegression(
  { spec, ...run }: RegressionRun,
  { progress, fitting }: RegressionConsumer,
): Promise<RegressionResult> {
  const folder = await mkdtemp(join(run.scratch, 'regression-'))
  try {
    const cleanFile = join(folder, 'clean.csv')
    const shard = async () => {}
    const table = { ...run, cleanFile, cleanFor: 'machine' } as const
    const made = await runTable(table, { shard, ...(progress ? { progress } : {}) })
    if (made.kind !== 'done') return made
    const modelFile = join(folder, 'model')
    const answer = await askChild(
      { kind: 'regress', job: { spec, cleanFile, modelFile } },
      run.signal,
      async (message) => {
        if (message.kind === 'fitting') fitting?.(message.fraction)
      },
      { heapMb: run.memoryMb },
    )
    if (answer.kind === 'done' || answer.kind === 'looked')
      throw new Error('a fit was answered with something else')
    if (answer.kind !== 'regressed') return answer
    const { summary } = made
    return { kind: 'done', summary, fitted: answer.fitted, model: await readFile(modelFile) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
