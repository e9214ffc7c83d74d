import {
  type Coordinator,
  type Logger,
  openEtcdCoordinator,
  type Random,
  type Store,
} from '@almanac/shared'
import { createBlobIdMint } from '../../../shared/src/store/blob-id.ts'
import { storeOver } from '../../../shared/src/store/store.ts'
import { createEtcdClient } from '../etcd/client.ts'
import type { Etcd } from '../etcd/etcd.ts'
import type { Blobs } from '../store/blobs.ts'
import { createRows } from '../store/rows.ts'
import { clockOf, randomOf } from '../world/clock.ts'
import type { Network } from '../world/network.ts'
import type { Steps } from '../world/steps.ts'
import type { Process, World } from '../world/world.ts'

/** What is there but brokers and nodes. */
export type Surroundings = {
  readonly world: World
  readonly seed: number
  readonly network: Network
  readonly etcd: Etcd
  readonly blobs: Blobs
  /** What is wrong with the store at present. */
  readonly store: { isAway: boolean }
  readonly steps?: Steps | undefined
}

export type OwnParts = {
  readonly coordinator: Coordinator
  readonly store: Store
  readonly clock: ReturnType<typeof clockOf>
  readonly random: Random
  readonly logger: Logger
  readonly mintId: () => string
}

/** What every process of the system is given: its own way to everything. */
export async function ownParts(around: Surroundings, process: Process): Promise<OwnParts> {
  const { world, network, etcd, blobs, steps, seed } = around
  const clock = clockOf(world, process)
  const random = randomOf(seed, process)
  const logger = tracingLogger(world)
  const coordinator = await openEtcdCoordinator({
    endpoints: ['etcd'],
    clock,
    random,
    createClient: () => createEtcdClient({ world, network, etcd, process, steps }),
    onEvent: (name, fields) => {
      if (name !== 'etcd-call') logger.info({ event: name, ...fields })
    },
  })
  const isAway = () => around.store.isAway
  const rows = createRows({ world, network, process, blobs, isAway, steps })
  const store = storeOver(rows, clock)
  const mintId = createBlobIdMint(() => Date.now())
  return { coordinator, store, clock, random, logger, mintId }
}

/** What is logged is part of the trace. */
function tracingLogger(world: World): Logger {
  const line = (level: string) => (fields: object) =>
    world.trace(() => `${level} ${JSON.stringify(fields, errorsAsText)}`)
  const quiet = () => {}
  const logger = {
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    fatal: line('fatal'),
    debug: quiet,
    trace: quiet,
  }
  return logger as unknown as Logger
}

const errorsAsText = (_key: string, value: unknown) =>
  value instanceof Error ? `${value.name}: ${value.message}` : value
