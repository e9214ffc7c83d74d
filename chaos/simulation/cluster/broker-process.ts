import { Registry } from '@almanac/shared'
import { boundsOf } from '../../../broker/src/config/bounds.ts'
import { type Assembly, assemble } from '../../../broker/src/server/assemble.ts'
import type { Process } from '../world/world.ts'
import { ownParts, type Surroundings } from './parts.ts'
import { createUpstream, type Listening } from './upstream.ts'

export type BrokerProcess = {
  readonly process: Process
  assembly: Assembly | undefined
  isDraining: boolean
}

/** Starts a broker process, without the HTTP in front of it. */
export function startBrokerProcess(
  around: Surroundings,
  name: string,
  nodes: {
    readonly at: (origin: string) => Listening | undefined
    readonly placeOf: (origin: string) => string
  },
): BrokerProcess {
  const { world, network } = around
  const process = world.startProcess(name)
  const started: BrokerProcess = { process, assembly: undefined, isDraining: false }
  const start = async () => {
    const parts = await ownParts(around, process)
    started.assembly = assemble({
      ...parts,
      token: 'secret',
      who: name,
      bounds: boundsOf(),
      registry: new Registry(),
      upstream: createUpstream({ world, network, process, ...nodes }),
    })
  }
  world.within(process, () => {
    start().catch((error) => world.report('a broker did not start', error))
  })
  return started
}
