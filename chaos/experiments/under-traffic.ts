import { request } from 'undici'
import type { ExperimentContext, ExperimentResult } from '../experiment.ts'
import { chronicleOf } from '../history/chronicle.ts'
import type { Entry } from '../history/entry.ts'
import { operationsOf } from '../history/operations.ts'
import { brokenPromises, type Evidence } from '../invariants/check.ts'
import { checkHistory, faultsOf } from '../linearizability/check.ts'
import { pause } from '../pause.ts'
import type { Topology } from '../topology/topology.ts'
import { conclude } from '../traffic/conclude.ts'
import { expectedPointsDigest } from '../traffic/data.ts'
import { startTraffic, type Traffic, type TrafficOptions } from '../traffic/traffic.ts'
import { excuseFigures } from './figures.ts'
import { sharedTopology } from './shared-topology.ts'
import { createWeatherLog, type WeatherLog } from './weather-log.ts'

export type Session = WeatherLog & {
  readonly context: ExperimentContext
  readonly topology: Topology
  readonly traffic: Traffic
  /** Adds what the experiment itself finds wrong. */
  readonly violation: (line: string) => void
}

export type UnderTraffic = {
  readonly name: string
  readonly traffic: Pick<TrafficOptions, 'forecastsPerSecond'> &
    Partial<Pick<TrafficOptions, 'scripts' | 'changePauseMs' | 'clientsPerBroker'>>
  /** One repetition. */
  readonly repeat: (session: Session, seed: number) => Promise<void>
  /** What there is to judge by, as it grows: whoever wants to keep it takes it from here. */
  readonly onEvidence?: (evidence: Partial<Evidence>, topology: Topology) => void
  /** Of a whole batch. */
  readonly figures: (entries: readonly Entry[], session: Session) => ExperimentResult['figures']
}

/** A history is checked and forgotten after so many repetitions. */
const batchMax = 25
/** Traffic before anything breaks: connections are open then, and there is something to compare. */
const calmMs = 1_000
const wellAgainMs = 10_000
/** After that nothing may fail for this long. */
const wellForMs = 1_000
const settleMs = 30_000
/** A second is plenty for some hundred operations, unless many have unknown outcomes. */
const linearizableMs = 30_000

/**
 * Repeats something that harms while users are at work, and holds what they saw against every
 * promise. All repetitions of a batch share one traffic, whose seed is that of the first.
 */
export async function underTraffic(
  context: ExperimentContext,
  options: UnderTraffic,
): Promise<ExperimentResult> {
  const { seeds, signal, log } = context
  const violations: string[] = []
  const figures: ExperimentResult['figures'][] = []
  for (let from = 0; from < seeds.length && !signal.aborted; from += batchMax) {
    const batch = seeds.slice(from, from + batchMax)
    const result = await runBatch(context, options, batch)
    violations.push(...result.violations)
    figures.push(result.figures)
    if (result.violations.length > 0) for (const line of result.lines) log(line)
    // Whoever ends a long run early wants to know what held until then.
    const done = Math.min(from + batch.length, seeds.length)
    log(`${done} of ${seeds.length} checked; violations: ${violations.length}`)
  }
  return { violations, figures: mergedFigures(figures) }
}

let batches = 0

async function runBatch(
  context: ExperimentContext,
  options: UnderTraffic,
  seeds: readonly number[],
) {
  const { signal, log } = context
  const topology = await sharedTopology(context)
  const brokers = topology.brokers.map(({ name, url }) => ({ name, url }))
  const weather = createWeatherLog(topology)
  const violations: string[] = []
  const violation = (line: string) => void violations.push(line)
  // Others have used the topology before: the names of this run's models are its own.
  batches += 1
  const prefix = `${options.name}-${seeds[0]}-${batches}`
  const traffic = await startTraffic({ brokers, seed: seeds[0]!, prefix, ...options.traffic })
  const session = { ...weather, context, topology, traffic, violation }
  options.onEvidence?.({ entries: traffic.entries, weather: weather.weather }, topology)
  const enough = new AbortController()
  const chronicle = chronicleOf(brokers, traffic.isOurs, enough.signal)
  let isWhole = false
  try {
    await pause(calmMs, signal)
    for (const seed of seeds) {
      if (signal.aborted) break
      weather.note(`seed ${seed}`)
      const startedMs = performance.now()
      await options.repeat(session, seed)
      log(`seed ${seed}: ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`)
    }
    isWhole = !signal.aborted
    if (isWhole) await pause(wellAgainMs + wellForMs, signal)
  } finally {
    enough.abort()
    if (!isWhole) await traffic.abandon()
  }
  if (!isWhole) return { violations, figures: {}, lines: weather.lines }
  const { entries, records: last, restless } = await conclude(traffic, brokers)
  const records = (await chronicle).whole(last)
  options.onEvidence?.({ records }, topology)
  const { missing } = await topology.wellAgain(settleMs)
  const found = brokenPromises({
    entries,
    records,
    weather: weather.weather,
    expected: expectedPointsDigest,
    wellWithinMs: wellAgainMs,
  })
  const operations = operationsOf(entries, records)
  const verdict = await checkHistory(operations, { timeoutMs: linearizableMs })
  // It may find more that is wrong.
  const figures = {
    ...options.figures(entries, session),
    ...excuseFigures(entries, weather.weather),
  }
  for (const model of traffic.models) await remove(topology, model)
  const which = `seeds ${seeds.join(' ')}`
  const all = [
    ...violations,
    ...found,
    ...faultsOf(verdict).map((line) => `not linearizable: ${line}`),
    ...restless.map((line) => `not at rest: ${line}`),
    ...missing.map((line) => `not well afterwards: ${line}`),
  ].map((line) => `${line} [${which}]`)
  return { violations: all, figures, lines: weather.lines }
}

/** Whoever comes next starts with a cluster that holds nothing. */
async function remove({ brokers }: Topology, model: string): Promise<void> {
  const url = `${brokers[0]!.url}/api/models/${model}`
  const { body } = await request(url, { method: 'DELETE', signal: AbortSignal.timeout(settleMs) })
  await body.dump()
}

/** Counts are added up; of everything else the largest counts. */
function mergedFigures(all: readonly ExperimentResult['figures'][]): ExperimentResult['figures'] {
  const merged: Record<string, number | string> = {}
  for (const figures of all)
    for (const [name, value] of Object.entries(figures)) {
      const known = merged[name]
      if (typeof value !== 'number' || typeof known !== 'number') merged[name] = value
      else merged[name] = name.endsWith('Ms') ? Math.max(known, value) : known + value
    }
  return merged
}
