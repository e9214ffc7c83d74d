import { pause } from '../pause.ts'
import { keyspace, withTables } from './cql-access.ts'
import type { Fault } from './fault.ts'

const holds = () => ['cql']
const targets = () => ['cql']

export const cqlFaults: readonly Fault[] = [
  {
    name: 'database-killed',
    weight: 1,
    targets,
    holds,
    durationMs: [0, 5_000],
    healingMs: 20_000,
    run: (site, _target, durationMs) => {
      const { cql } = site.topology
      return site.down(cql, 'killed', async () => {
        await cql.kill()
        await pause(durationMs, site.signal)
        await cql.start()
      })
    },
  },
  {
    name: 'database-frozen',
    weight: 2,
    targets,
    holds,
    durationMs: [2_000, 15_000],
    healingMs: 1_000,
    run: (site, _target, durationMs) => {
      const { cql } = site.topology
      return site.down(cql, 'frozen', async () => {
        cql.pause()
        await pause(durationMs, site.signal)
        cql.resume()
      })
    },
  },
  {
    name: 'database-refusing',
    weight: 2,
    targets,
    holds,
    durationMs: [2_000, 10_000],
    healingMs: 2_000,
    run: (site, _target, durationMs) => {
      const { topology, signal } = site
      // More copies are asked for than there are servers: whatever needs a quorum is refused.
      return site.down(topology.cql, 'refusing', () =>
        withTables(topology, async (run) => {
          await run(replication(3))
          await pause(durationMs, signal)
          await untilDone(() => run(replication(1)))
        }),
      )
    },
  },
]

/** A server that has just been asked for too much may answer late. */
const triesMax = 5

async function untilDone(work: () => Promise<unknown>): Promise<void> {
  for (let tried = 1; ; tried++) {
    try {
      await work()
      return
    } catch (error) {
      if (tried === triesMax) throw error
    }
  }
}

const replication = (copies: number) =>
  `ALTER KEYSPACE ${keyspace} WITH replication =
    {'class': 'NetworkTopologyStrategy', 'datacenter1': ${copies}}`
