import type { ExperimentContext } from '../experiment.ts'
import { startTopology } from '../topology/start.ts'
import type { Topology } from '../topology/topology.ts'

/** Minutes of processes: so that experiments that leave it well share one. */
let shared: Promise<Topology> | undefined
/** A start on a busy machine, the first one of an empty cache aside. */
export const topologyStartMs = 120_000
const wellMs = 30_000

/**
 * The topology of this process, well, started when there is none. One that a former experiment has
 * not left well is replaced: what it broke is told by its own violations.
 */
export async function sharedTopology(context: ExperimentContext): Promise<Topology> {
  const { log, signal } = context
  const kept = await shared?.catch(() => undefined)
  if (kept !== undefined) {
    const { missing } = await kept.wellAgain(wellMs)
    if (missing.length === 0) return kept
    log(`a new topology is started, since of the former one: ${missing.join('; ')}`)
    await closeSharedTopology()
  }
  const starting = new AbortController()
  const interrupt = () => starting.abort(signal.reason)
  signal.addEventListener('abort', interrupt, { once: true })
  shared = startTopology({ log, signal: starting.signal })
  try {
    return await shared
  } catch (error) {
    shared = undefined
    throw error
  } finally {
    // It outlives the experiment that needed it first.
    signal.removeEventListener('abort', interrupt)
  }
}

/** Ends it, if there is one. Its data and logs stay when somebody will want to look at them. */
export async function closeSharedTopology(
  keep = process.env.ALMANAC_CHAOS_KEEP === '1',
): Promise<void> {
  const topology = await shared?.catch(() => undefined)
  shared = undefined
  await topology?.close({ keep })
}
