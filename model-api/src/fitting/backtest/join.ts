import { setImmediate as otherWork } from 'node:timers/promises'
import {
  addErrors,
  addSteps,
  type ErrorColumns,
  type Errors,
  errorColumns,
  meanErrors,
  medianErrors,
  type PooledErrors,
  pooled,
  type StepSums,
  sumOfSteps,
} from '@almanac/engine'
import {
  type BacktestEntry,
  type BacktestHead,
  type BacktestInput,
  type BacktestResult,
  type BacktestScores,
  type BacktestStep,
  type BlobRef,
  Damaged,
  decodeBacktestShard,
  encodeBacktestResult,
  type JobRecord,
  limits,
  type ShardRecord,
} from '@almanac/shared'
import type { NodeContext } from '../../base/context.ts'
import { checked } from '../checked.ts'
import { isHopeless, readShards } from '../shards/look.ts'
import { readInput } from './read.ts'

type Read = (ref: BlobRef) => Promise<Uint8Array>

/** What a backtest came to. */
export type JoinedResults =
  | { readonly kind: 'whole'; readonly content: Uint8Array; readonly scores: BacktestScores }
  | { readonly kind: 'failed'; readonly reason: string; readonly detail: string }
  /** Some shards are still to be worked on. */
  | { readonly kind: 'open' }

/**
 * Looks at all shards of a claimed backtest and adds them up, one in memory at a time. Rejects
 * with `Unavailable`, or with `Damaged` or `Missing` where something is not as it was stored.
 */
export async function joinResults(
  context: NodeContext,
  job: JobRecord,
  read: Read,
  signal: AbortSignal,
): Promise<JoinedResults> {
  const input = await readInput(read, job)
  const { claimed, shards: records } = await readShards(context, job.id, signal)
  const done: Done[] = []
  for (const number of input.shards.keys()) {
    const record = records.get(number)?.record
    if (record?.fitted) done.push(record.fitted)
    else if (record && isHopeless(record) && !claimed.has(number)) return failed(number, record)
  }
  if (done.length < input.shards.length) return { kind: 'open' }
  return await addUp(job, input, done, read)
}

type Done = NonNullable<ShardRecord['fitted']>

async function addUp(
  job: JobRecord,
  { kind }: BacktestInput,
  shards: readonly Done[],
  read: Read,
): Promise<JoinedResults> {
  const { levels } = job.backtest!.settings
  const columns = errorColumns()
  const codes = new Map<string, number>()
  let steps: readonly StepSums[] = []
  let judged = 0
  const told: BacktestResult['shards'] = []
  for (const one of shards) {
    const { blob, sha256 } = one
    const bytes = checked(await read({ kind: 'dataset', id: blob }), sha256, `The result ${blob}`)
    const shard = decodeBacktestShard(bytes)
    if (!shard.ok) throw new Damaged(`The result ${blob} cannot be read: ${shard.fault}`)
    steps = addSteps(steps, shard.value.steps.map(summed))
    for (const line of shard.value.lines) {
      const entry: BacktestEntry = JSON.parse(line)
      if (kind === 'one' && entry.windows === 0)
        return { kind: 'failed', reason: entry.code, detail: entry.detail }
      codes.set(entry.code, (codes.get(entry.code) ?? 0) + 1)
      if (entry.count > 0) judged += 1
      addErrors(columns, errorsIn(entry))
    }
    const [first] = shard.value.lines
    // A part of few series may have none.
    if (first !== undefined) told.push({ ...one, first: keyIn(first) })
    // Two thousand lines are some milliseconds: who waits for a forecast goes first.
    await otherWork()
  }
  const overall = pooled(sumOfSteps(steps, levels.length))
  const scores: BacktestScores = {
    ...{ series: [...codes.values()].reduce((sum, count) => sum + count, 0), judged },
    codes: Object.fromEntries([...codes].slice(0, limits.resultCodesMax)),
    ...{ count: overall.count, missing: overall.missing },
    ...(await averages(columns)),
    coverage: covered(overall, levels),
  }
  const content = encodeBacktestResult({
    format: 1,
    steps: steps.map((step, h) => stepOf(h + 1, pooled(step), levels)),
    shards: told,
  })
  return { kind: 'whole', content, scores }
}

const keyIn = (line: string) => (JSON.parse(line) as BacktestEntry).key ?? ''

async function averages(columns: ErrorColumns): Promise<Pick<BacktestScores, 'mean' | 'median'>> {
  const mean = meanErrors(columns)
  // Of a million series each of both takes some hundredths of a second.
  await otherWork()
  return { mean, median: medianErrors(columns) }
}

const errorsIn = ({ mase, smape, rmse, mae, bias, pinball, scaledPinball }: BacktestEntry) =>
  ({ mase, smape, rmse, mae, bias, pinball, scaledPinball }) satisfies Errors

/** A sum that left the range of numbers is null in JSON. */
function summed(step: BacktestHead['steps'][number]): StepSums {
  const known = (value: number | null) => value ?? Number.POSITIVE_INFINITY
  return {
    ...{ count: step.count, missing: step.missing, scaledCount: step.scaledCount },
    error: known(step.error),
    absolute: known(step.absolute),
    squared: known(step.squared),
    symmetric: known(step.symmetric),
    pinball: known(step.pinball),
    scaledAbsolute: known(step.scaledAbsolute),
    scaledPinball: known(step.scaledPinball),
    inside: step.inside,
  }
}

function stepOf(step: number, errors: PooledErrors, levels: readonly number[]): BacktestStep {
  return { step, ...errors, coverage: covered(errors, levels) }
}

function covered({ coverage }: PooledErrors, levels: readonly number[]) {
  return levels.map((level, at) => ({ level, coverage: coverage[at] ?? null }))
}

function failed(number: number, { attempts, error }: ShardRecord): JoinedResults {
  if (error) return { kind: 'failed', ...error }
  const detail = `Shard ${number} was begun ${attempts} times and never finished.`
  return { kind: 'failed', reason: 'attempts-exhausted', detail }
}
