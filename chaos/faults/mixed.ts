import { join } from 'node:path'
import type { ExperimentContext, ExperimentResult } from '../experiment.ts'
import { forecastFigures } from '../experiments/figures.ts'
import { underTraffic } from '../experiments/under-traffic.ts'
import { writeHistory } from '../history/file.ts'
import type { Evidence } from '../invariants/check.ts'
import type { Topology } from '../topology/topology.ts'
import { allFaults } from './catalogue.ts'
import type { Fault, Shape } from './fault.ts'
import { loggedBugs } from './log-scan.ts'
import { playFaults } from './play.ts'
import { type Planned, planFaults, toldPlan } from './schedule.ts'

export type MixedOptions = {
  readonly name: string
  /** Of one repetition. */
  readonly minutes: number
  /** Default: all that mix. */
  readonly faults?: readonly Fault[]
  /** Default: 3. */
  readonly atOnceMax?: number
  readonly forecastsPerSecond?: number
}

/**
 * Faults of every kind on a seeded schedule, while users are at work; all promises are checked.
 * Each seed has users of its own, since what they do ends with its schedule.
 */
export async function runMixed(
  context: ExperimentContext,
  options: MixedOptions,
): Promise<ExperimentResult> {
  const violations: string[] = []
  const figures: Record<string, number> = {}
  for (const seed of context.seeds) {
    if (context.signal.aborted) break
    const result = await runSeed(context, options, seed)
    violations.push(...result.violations)
    for (const [name, value] of Object.entries(result.figures)) {
      const known = figures[name] ?? 0
      figures[name] = name.endsWith('Ms') ? Math.max(known, Number(value)) : known + Number(value)
    }
  }
  return { violations, figures }
}

async function runSeed(
  context: ExperimentContext,
  options: MixedOptions,
  seed: number,
): Promise<ExperimentResult> {
  const { forecastsPerSecond = 60 } = options
  let faults = 0
  let wellMs = 0
  let evidence: Partial<Evidence> = {}
  let folder: string | undefined
  const inContext = { ...context, seeds: [seed] }
  const result = await underTraffic(inContext, {
    name: options.name,
    traffic: { forecastsPerSecond, changePauseMs: 1_500 },
    onEvidence: (more, topology) => {
      evidence = { ...evidence, ...more }
      folder = topology.folder
    },
    repeat: async (session) => {
      const { topology, weather, traffic } = session
      const plan = planOf(options, shapeOf(topology), seed)
      faults = plan.length
      context.log(`seed ${seed}: ${plan.length} faults in ${options.minutes} minutes`)
      for (const planned of plan) context.log(`  ${toldPlan(planned)}`)
      const { signal } = context
      const stage = { ...session, disturbances: weather.disturbances, signal }
      await playFaults(stage, options.faults ?? allFaults, plan)
      // What was begun is finished, and nothing new is: only then can nothing be open.
      await traffic.stopChanges()
      const { missing, tookMs } = await topology.wellAgain(wellAgainMs, signal)
      wellMs = tookMs
      const logged = await loggedBugs([...topology.brokers, ...topology.nodes])
      for (const line of logged) session.violation(line)
      for (const line of missing) session.violation(`not well in ${wellAgainMs} ms: ${line}`)
    },
    figures: (entries) => ({
      faults,
      wellAfterMs: wellMs,
      ...forecastFigures(entries),
    }),
  }).catch(async (error: Error) => {
    await keep()
    throw error
  })
  await keep()
  return result

  async function keep(): Promise<void> {
    if (folder === undefined) return
    const file = join(folder, `history-of-seed-${seed}.jsonl`)
    await writeHistory(file, evidence)
    context.log(`what users saw is in ${file}, unless the folder goes with the run`)
  }
}

const wellAgainMs = 10_000

function planOf(options: MixedOptions, shape: Shape, seed: number): Planned[] {
  const { minutes, faults = allFaults, atOnceMax = 3 } = options
  return planFaults({ seed, totalMs: minutes * 60_000, shape, faults, atOnceMax })
}

function shapeOf({ brokers, nodes, etcd }: Topology): Shape {
  const namesOf = (parts: readonly { readonly name: string }[]) => parts.map(({ name }) => name)
  return { brokers: namesOf(brokers), nodes: namesOf(nodes), members: namesOf(etcd) }
}
