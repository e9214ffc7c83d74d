import { pause } from '../pause.ts'
import type { Part, Topology } from '../topology/topology.ts'
import type { Fault, Shape, Site } from './fault.ts'

const brokersAndNodes = ({ brokers, nodes }: Shape) => [...brokers, ...nodes]
const itself = (target: string) => [target]

export const processFaults: readonly Fault[] = [
  {
    name: 'killed',
    weight: 6,
    targets: brokersAndNodes,
    holds: itself,
    durationMs: [0, 6_000],
    healingMs: 4_000,
    run: (site, target, durationMs) => {
      const part = partOf(site.topology, target)
      return site.down(part, 'killed', async () => {
        await part.kill()
        await pause(durationMs, site.signal)
        await part.start()
      })
    },
  },
  {
    name: 'frozen',
    weight: 4,
    targets: brokersAndNodes,
    holds: itself,
    // A lease lasts 10 s: who wakes up again must notice that it has lost everything.
    durationMs: [11_000, 16_000],
    healingMs: 3_000,
    run: (site, target, durationMs) => frozen(site, target, durationMs),
  },
  {
    name: 'stuttering',
    weight: 2,
    targets: brokersAndNodes,
    holds: itself,
    durationMs: [3_000, 8_000],
    healingMs: 2_000,
    run: async (site, target, durationMs) => {
      const untilMs = performance.now() + durationMs
      while (performance.now() < untilMs && !site.signal.aborted) {
        await frozen(site, target, 300 + site.random() * 1_200)
        await pause(200 + site.random() * 600, site.signal)
      }
    },
  },
  {
    name: 'terminated',
    weight: 4,
    targets: brokersAndNodes,
    holds: itself,
    durationMs: [0, 4_000],
    healingMs: 8_000,
    run: (site, target, durationMs) => {
      const part = partOf(site.topology, target)
      return site.down(part, 'terminated', async () => {
        await part.stop()
        await pause(durationMs, site.signal)
        await part.start()
      })
    },
  },
  {
    name: 'rolling-restart',
    weight: 0.4,
    targets: () => ['brokers', 'nodes'],
    holds: () => ['everything'],
    durationMs: [20_000, 30_000],
    healingMs: 5_000,
    run: async (site, target) => {
      const parts = target === 'brokers' ? site.topology.brokers : site.topology.nodes
      for (const part of parts) {
        if (site.signal.aborted) return
        await site.down(part, 'terminated, one after another', async () => {
          await part.stop()
          await part.start()
        })
      }
    },
  },
  {
    name: 'all-killed',
    weight: 0.4,
    targets: () => ['brokers', 'nodes', 'both'],
    holds: () => ['everything'],
    durationMs: [0, 3_000],
    healingMs: 6_000,
    run: async (site, target, durationMs) => {
      const { brokers, nodes } = site.topology
      const parts =
        target === 'brokers' ? brokers : target === 'nodes' ? nodes : [...brokers, ...nodes]
      await Promise.all(
        parts.map((part) =>
          site.down(part, 'killed together', async () => {
            await part.kill()
            await pause(durationMs, site.signal)
            await part.start()
          }),
        ),
      )
    },
  },
  {
    name: 'clock-jump',
    weight: 2,
    targets: brokersAndNodes,
    holds: (target) => [`clock of ${target}`],
    durationMs: [2_000, 15_000],
    healingMs: 0,
    run: async (site, target, durationMs) => {
      const part = partOf(site.topology, target)
      const jumps = [5_000, 60_000, 3_600_000, 200_000_000]
      const jumpMs =
        jumps[Math.floor(site.random() * jumps.length)]! * (site.random() < 0.5 ? -1 : 1)
      site.note(`${target}: its clock jumps by ${jumpMs} ms`)
      await part.control({ clockMs: jumpMs })
      await pause(durationMs, site.signal)
      await part.control({ clockMs: 0 })
      site.note(`${target}: its clock jumps back`)
    },
  },
  {
    name: 'short-of-memory',
    weight: 2,
    targets: brokersAndNodes,
    holds: itself,
    durationMs: [3_000, 12_000],
    healingMs: 1_000,
    run: async (site, target, durationMs) => {
      const part = partOf(site.topology, target)
      const ballastMb = 200 + Math.round(site.random() * 150)
      // Who collects garbage all the time may take seconds for anything: it counts as not well.
      await site.down(part, `${ballastMb} MB of its heap are taken`, async () => {
        await part.control({ ballastMb })
        await pause(durationMs, site.signal)
        await part.control({ ballastMb: 0 })
        if (part.pid === undefined) site.note(`${target} has run out of memory`)
        await part.start()
      })
    },
  },
]

async function frozen(site: Site, target: string, durationMs: number): Promise<void> {
  const part = partOf(site.topology, target)
  await site.down(part, 'frozen', async () => {
    part.pause()
    await pause(durationMs, site.signal)
    // Waits until it answers, too.
    await part.start()
  })
}

export function partOf(topology: Topology, name: string): Part {
  const { brokers, nodes, etcd, cql } = topology
  const part = [...brokers, ...nodes, ...etcd, cql].find((each) => each.name === name)
  if (part === undefined) throw new Error(`there is no ${name}`)
  return part
}
