import { addSteps } from '../evaluate/overall.ts'
import { judge, type StepSums, type Trial, type Verdict, without } from '../evaluate/verdict.ts'
import type { Run } from '../family.ts'
import { seedOfKey } from '../numeric/random.ts'
import type { ShardRun } from './fit-shard.ts'
import { type KnownSeries, seriesOf } from './known-series.ts'

/** What a backtest says of one series among many, told apart by its key. */
export type KeyedVerdict = Omit<Verdict, 'steps'> & { readonly key: string }

/** What became of the series of a shard. */
export type JudgedShard = {
  readonly verdicts: readonly KeyedVerdict[]
  /** Of each step ahead, over all series and origins. */
  readonly steps: readonly StepSums[]
  /** How many series have which code. */
  readonly codes: Readonly<Record<string, number>>
  /** Whether the run was told to stop: then it is not whole, and good for nothing. */
  readonly isStopped: boolean
}

/**
 * Judges a spec on each series (`judge`), seeded by its key as a fit is. There is no other model in
 * place of one that is refused: its code says why there are no errors.
 */
export function judgeShard(
  series: readonly KnownSeries[],
  spec: unknown,
  trial: Trial,
  run: ShardRun,
): JudgedShard {
  const verdicts: KeyedVerdict[] = []
  const codes: Record<string, number> = {}
  let all: readonly StepSums[] = []
  for (const [place, one] of series.entries()) {
    if (run.shouldStop?.()) break
    run.onSeries?.(place)
    const within = (part: number) => run.onProgress?.((place + part) / series.length)
    const why = run.passedOver?.get(place)
    const own = { ...plain(run), seed: seedIn(run, one), onProgress: within }
    const { steps, ...verdict } =
      why === undefined ? judgeOne(one, spec, trial, own) : without(passed(why), trial)
    verdicts.push({ key: one.key, ...verdict })
    codes[verdict.code] = (codes[verdict.code] ?? 0) + 1
    all = addSteps(all, steps)
    within(1)
  }
  const isStopped = verdicts.length < series.length || run.shouldStop?.() === true
  return { verdicts, steps: all, codes, isStopped }
}

function judgeOne(one: KnownSeries, spec: unknown, trial: Trial, run: Run): Verdict {
  try {
    return judge(seriesOf(one), spec, trial, run)
  } catch (fault) {
    // A fault of the engine: told for this series, so that the rest of the shard is not lost to it.
    const what = fault instanceof Error ? fault.message : String(fault)
    const detail = `The backtest of this series failed: ${what}.`
    return without({ code: 'internal', detail }, trial)
  }
}

/** A model of one series, which has no key, is seeded as its fit is. */
const seedIn = ({ seed }: Run, { key }: KnownSeries) => (key === '' ? seed : seedOfKey(seed, key))

function plain({ workMax, shouldStop }: Run) {
  return { workMax, ...(shouldStop === undefined ? {} : { shouldStop }) }
}

const passed = (code: string) => ({ code, detail: 'This series was passed over.' })
