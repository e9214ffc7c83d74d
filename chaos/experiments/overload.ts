import { setTimeout as delay } from 'node:timers/promises'
import type { Experiment, ExperimentContext, ExperimentResult } from '../experiment.ts'
import type { Offered } from '../overload/plan.ts'
import { type System, startSystem } from '../overload/system.ts'
import {
  inShort,
  mediansOf,
  promised,
  type Round,
  type Seen,
  violationsOf,
} from '../overload/verdict.ts'

/** A repetition is a second of three times the load that the system can carry. */
export const overload: Experiment = {
  name: 'overload',
  promise:
    'at three times its capacity a broker answers as much as ever, what it admits stays fast, ' +
    'and the rest is refused at once',
  repetitions: { landing: 30, long: 600 },
  timeoutMs: (seconds) => (2 * Math.max(seconds, secondsMin) + 200) * 1_000,
  run,
}

/** A seed given by hand makes one repetition, which would show nothing. */
const secondsMin = 30
/** From then on there is time for the exact promise. */
const longSeconds = 120
const shortly = { rounds: 1, warmUp: 3, peak: 4, calm: 5, after: 3 }
/** What the machine can do changes within minutes: it is looked at again in each round. */
const atLength = { rounds: 9, warmUp: 20, peak: 10, calm: 15, after: 10 }
/** Enough at once that broker and node are never idle, and few enough that nothing is refused. */
const peakAtOnce = 16

async function run({ seeds, log, signal }: ExperimentContext): Promise<ExperimentResult> {
  const seed = seeds.at(-1) ?? 1
  const seconds = Math.max(seeds.length, secondsMin)
  const isLong = seconds >= longSeconds
  const phases = isLong ? atLength : shortly
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
    const rounds: Round[] = []
    const memory = watchMemory(system)
    while (rounds.length < phases.rounds) {
      const peak = await told('peak', closed(phases.peak))
      const { answeredPerSecond: most } = peak
      // What comes by chance, over many connections, is another path to compile.
      if (rounds.length === 0) await open(0.8 * most, phases.warmUp)
      const calm = await told('80%', open(0.8 * most, phases.calm))
      const over = await told('300%', open(3 * most, seconds / phases.rounds))
      const after = await told('80% after that', open(0.8 * most, phases.after))
      rounds.push({ peak, calm, over, after })
    }
    const { firstMb, lastMb } = await memory.end()
    const seen = { rounds, residentMb: lastMb, growthMb: lastMb - firstMb }
    return {
      violations: violationsOf(seen, isLong ? promised : inShort).map(
        (what) => `${what} (seed ${seed})`,
      ),
      figures: figuresOf(seen),
    }
  } finally {
    await system.close()
  }
}

/** Medians over the rounds, and the worst of what was promised. */
function figuresOf({ rounds, residentMb, growthMb }: Seen) {
  const median = mediansOf(rounds)
  const each = rounds.map((round) => mediansOf([round]))
  const over = rounds.map((round) => round.over)
  return {
    rounds: rounds.length,
    peakPerSecondMin: rounded(Math.min(...rounds.map(({ peak }) => peak.answeredPerSecond))),
    peakPerSecondMax: rounded(Math.max(...rounds.map(({ peak }) => peak.answeredPerSecond))),
    goodputOfPeak: rounded(median.goodput),
    goodputOfPeakMin: rounded(Math.min(...each.map(({ goodput }) => goodput))),
    admittedP99MsMax: rounded(Math.max(...over.map(({ answers }) => answers.p99Ms))),
    admittedSlowestMsMax: rounded(Math.max(...over.map(({ answers }) => answers.maxMs))),
    settledP99MsMax: rounded(Math.max(...over.map(({ settled }) => settled.p99Ms))),
    settledOfCalmP99: rounded(median.slower),
    settledOfCalmP99Max: rounded(Math.max(...each.map(({ slower }) => slower))),
    refusalP99Ms: rounded(median.refusalMs),
    refusalP99MsMax: rounded(Math.max(...each.map(({ refusalMs }) => refusalMs))),
    calmRefusedShareMax: rounded(Math.max(...each.map(({ refusedShare }) => refusedShare))),
    answeredAfterMin: rounded(Math.min(...each.map(({ answeredAfter }) => answeredAfter))),
    sentLateP99MsMax: rounded(Math.max(...over.map(({ lateP99Ms }) => lateP99Ms))),
    residentMb: rounded(residentMb),
    residentGrowthMb: rounded(growthMb),
  }
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
  settled,
  refusals,
  lateP99Ms,
}: Offered) {
  return (
    `${sent} sent, ${answered} answered (${answeredPerSecond.toFixed(0)}/s, p50 ${answers.p50Ms}, ` +
    `p99 ${answers.p99Ms}, after a second ${settled.p99Ms}, max ${answers.maxMs} ms), ` +
    `${refused} refused (p99 ${refusals.p99Ms} ms), ` +
    `${failed} failed, sent late by p99 ${lateP99Ms} ms`
  )
}

const rounded = (value: number) => Math.round(value * 100) / 100
