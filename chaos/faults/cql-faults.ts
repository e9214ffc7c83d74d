import { type Fault, lasting } from './fault.ts'

const holds = () => 'cql'
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
        await lasting(durationMs, site.signal)
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
        await lasting(durationMs, site.signal)
        cql.resume()
      })
    },
  },
]
