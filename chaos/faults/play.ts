import { seededRandom } from '@almanac/shared'
import type { Disturbance } from '../invariants/disturbance.ts'
import { pause } from '../pause.ts'
import type { Part, Topology } from '../topology/topology.ts'
import type { Fault, Site } from './fault.ts'
import { faultOf, inEachOthersWay, type Planned } from './schedule.ts'

export type Stage = Omit<Site, 'random'> & {
  readonly disturbances: readonly Disturbance[]
}

/**
 * Does what was planned, at its time. On a slow machine a fault may last longer than planned: one
 * that would get in its way waits for its end. Resolves when all is healed.
 */
export async function playFaults(
  stage: Stage,
  faults: readonly Fault[],
  plan: readonly Planned[],
): Promise<void> {
  const { signal, violation } = stage
  const startedMs = performance.now()
  const ended = new AbortController()
  const watching = watchForDeaths(stage, ended.signal)
  const underWay: { readonly planned: Planned; readonly over: Promise<void> }[] = []
  for (const planned of plan) {
    await pause(startedMs + planned.atMs - performance.now(), signal)
    if (signal.aborted) break
    const before = underWay.filter((other) => inEachOthersWay(faults, other.planned, planned))
    const fault = faultOf(faults, planned.fault)
    const site = { ...stage, random: seededRandom(planned.seed) }
    const run = async () => {
      await Promise.all(before.map(({ over }) => over))
      if (!signal.aborted) await fault.run(site, planned.target, planned.durationMs)
    }
    const over = run().catch((error: Error) => {
      violation(`${planned.fault} of ${planned.target} broke off: ${error.message}`)
    })
    underWay.push({ planned, over })
  }
  await Promise.all(underWay.map(({ over }) => over))
  ended.abort()
  await watching
}

const lookEveryMs = 500

/** A process that ends without having been killed is a violation; it is started again. */
async function watchForDeaths(stage: Stage, ended: AbortSignal): Promise<void> {
  const { topology, disturbances, violation, down } = stage
  const isOurs = (part: Part) =>
    disturbances.some((each) => each.kind === 'down' && each.part === part.name && isOpen(each))
  while (!ended.aborted) {
    for (const part of partsOf(topology)) {
      if (part.pid !== undefined || isOurs(part)) continue
      violation(`${part.name} ended by itself; its log is ${part.logFile}`)
      await down(part, 'ended by itself', () => part.start()).catch((error: Error) =>
        violation(`${part.name} does not start again: ${error.message}`),
      )
    }
    await pause(lookEveryMs, ended)
  }
}

const isOpen = ({ toMs }: Disturbance) => toMs === Number.POSITIVE_INFINITY

const partsOf = ({ brokers, nodes, etcd, cql }: Topology) => [...brokers, ...nodes, ...etcd, cql]
