import { setTimeout as delay } from 'node:timers/promises'
import type { Experiment, ExperimentContext, ExperimentResult } from '../experiment.ts'
import type { Offered } from '../overload/plan.ts'
import { type System, startSystem } from '../overload/system.ts'

/** A repetition is a second of three times the load that the system can carry. */
export const overload: Experiment = {
  name: 'overload',
  promise:
    'at three times its capacity a broker answers as much as ever, what it admits stays fast, ' +
    'and the rest is refused at once',
  repetitions: { landing: 30, long: 600 },
  timeoutMs: (seconds) => (Math.max(seconds, secondsMin) + 200) * 1_000,
  run,
}

/** A seed given by hand makes one repetition, which would show nothing. */
const secondsMin = 30
/** From then on there is time for the exact promise. */
const longSeconds = 120
const shortPhases = { warmUp: 3, peak: 4, calm: 5, after: 3 }
const longPhases = { warmUp: 20, peak: 20, calm: 30, after: 20 }
/** Enough at once that broker and node are never idle, and few enough that nothing is refused. */
const peakAtOnce = 16

async function run({ seeds, log, signal }: ExperimentContext): Promise<ExperimentResult> {
  const seed = seeds.at(-1) ?? 1
  const seconds = Math.max(seeds.length, secondsMin)
  const isLong = seconds >= longSeconds
  const phases = isLong ? longPhases : shortPhases
  const system = await startSystem()
  try {
    const told = async (name: string, offered: Promise<Offered>) => {
      const one = await offered
      log(`${name}: ${lineOf(one)}`)
      return one
    }
    // What one phase has asked is not asked again by the next, which would find it in a cache.
    let phaseSeed = seed
    const closed = (forSeconds: number) =>
      system.offer({ seed: phaseSeed++, seconds: forSeconds, atOnce: peakAtOnce }, signal)
    const open = (perSecond: number, forSeconds: number) =>
      system.offer({ seed: phaseSeed++, seconds: forSeconds, perSecond }, signal)
    await closed(phases.warmUp)
    const peak = await told('peak', closed(phases.peak))
    const calm = await told('80%', open(0.8 * peak.answeredPerSecond, phases.calm))
    const memory = watchMemory(system)
    const over = await told('300%', open(3 * peak.answeredPerSecond, seconds))
    const { firstMb, lastMb } = await memory.end()
    const after = await told('80% after that', open(0.8 * peak.answeredPerSecond, phases.after))
    const seen = { peak, calm, over, after, residentMb: lastMb, growthMb: lastMb - firstMb }
    return {
      violations: violationsOf(seen, isLong ? promised : inShort).map(
        (what) => `${what} (seed ${seed})`,
      ),
      figures: {
        peakPerSecond: rounded(peak.answeredPerSecond),
        goodputOfPeak: rounded(over.answeredPerSecond / peak.answeredPerSecond),
        calmP99Ms: calm.answers.p99Ms,
        calmRefused: calm.refused,
        admittedP99Ms: over.answers.p99Ms,
        admittedOfCalmP99: rounded(over.answers.p99Ms / calm.answers.p99Ms),
        refusalP99Ms: over.refusals.p99Ms,
        sentLateP99Ms: over.lateP99Ms,
        refusedShare: rounded(over.refused / over.sent),
        residentMb: rounded(lastMb),
        residentGrowthMb: rounded(lastMb - firstMb),
      },
    }
  } finally {
    await system.close()
  }
}

export type Seen = {
  readonly peak: Offered
  readonly calm: Offered
  readonly over: Offered
  readonly after: Offered
  readonly residentMb: number
  readonly growthMb: number
}

type Bounds = {
  readonly goodputMin: number
  readonly slowerMax: number
  readonly refusalMsMax: number
  readonly refusedShareMax: number
  readonly answeredAfterMin: number
  readonly residentMbMax: number
  readonly growthMbMax: number
}

/**
 * Broker and node together hold some 1,000 MB under such a load, most of it buffers that wait for
 * the collector. What piled up what it refuses would pass this within half a minute.
 */
const residentMbMax = 1_500

const promised: Bounds = {
  goodputMin: 0.9,
  slowerMax: 2,
  refusalMsMax: 50,
  // At 80% on average there are moments above 100%.
  refusedShareMax: 0.001,
  answeredAfterMin: 0.99,
  residentMbMax,
  growthMbMax: 64,
}
/**
 * In phases of some seconds each, a machine whose own speed changes by 40% within a minute says no
 * more than this: what collapses under overload is far beyond it.
 */
export const inShort: Bounds = {
  goodputMin: 0.6,
  slowerMax: 5,
  refusalMsMax: 150,
  refusedShareMax: 0.1,
  answeredAfterMin: 0.89,
  residentMbMax,
  // Half a minute is shorter than the way to the most that buffers ever take.
  growthMbMax: Number.POSITIVE_INFINITY,
}

/** What of the promise does not hold. Pure. */
export function violationsOf(
  { peak, calm, over, after, residentMb, growthMb }: Seen,
  bounds: Bounds = promised,
): string[] {
  const { goodputMin, slowerMax, refusalMsMax, refusedShareMax, answeredAfterMin } = bounds
  const { residentMbMax, growthMbMax } = bounds
  const goodput = over.answeredPerSecond / peak.answeredPerSecond
  const slower = over.answers.p99Ms / calm.answers.p99Ms
  const failures = Object.entries({ peak, calm, over, after })
    .filter(([, { failed }]) => failed > 0)
    .map(([name, { failed, firstFailure }]) => `${name}: ${failed} failed: ${firstFailure}`)
  return [
    ...failures,
    ...(goodput < goodputMin ? [`goodput was ${goodput.toFixed(2)} of the peak`] : []),
    ...(slower > slowerMax ? [`admitted p99 was ${slower.toFixed(2)} times that at 80% load`] : []),
    ...(over.refusals.p99Ms > refusalMsMax
      ? [`p99 of refusals was ${over.refusals.p99Ms} ms`]
      : []),
    ...(calm.refused > calm.sent * refusedShareMax
      ? [`${calm.refused} of ${calm.sent} were refused at 80% load`]
      : []),
    ...(after.answered < after.sent * answeredAfterMin
      ? [`after the overload only ${after.answered} of ${after.sent} were answered`]
      : []),
    ...(residentMb > residentMbMax ? [`memory reached ${residentMb.toFixed(0)} MB`] : []),
    ...(growthMb > growthMbMax ? [`memory grew by ${growthMb.toFixed(0)} MB`] : []),
  ]
}

/** Memory in the first third of a time and at its end: what is bounded has grown by then. */
function watchMemory(system: System) {
  const samples: number[] = []
  const stopped = new AbortController()
  const sampling = (async () => {
    while (!stopped.signal.aborted) {
      samples.push(await system.residentMb())
      await delay(1_000, undefined, { signal: stopped.signal }).catch(() => {})
    }
  })()
  return {
    end: async () => {
      stopped.abort()
      await sampling
      const third = Math.ceil(samples.length / 3)
      return {
        firstMb: Math.max(...samples.slice(0, third)),
        lastMb: Math.max(...samples.slice(-third)),
      }
    },
  }
}

function lineOf({
  sent,
  answered,
  refused,
  failed,
  answeredPerSecond,
  answers,
  refusals,
  lateP99Ms,
}: Offered) {
  return (
    `${sent} sent, ${answered} answered (${answeredPerSecond.toFixed(0)}/s, p50 ${answers.p50Ms}, ` +
    `p99 ${answers.p99Ms}, max ${answers.maxMs} ms), ${refused} refused (p99 ${refusals.p99Ms} ms), ` +
    `${failed} failed, sent late by p99 ${lateP99Ms} ms`
  )
}

const rounded = (value: number) => Math.round(value * 100) / 100
