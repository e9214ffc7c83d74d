import { seededRandom } from '@almanac/shared'
import type { Experiment } from '../experiment.ts'
import { pause } from '../pause.ts'
import { forecastFigures, slowFigures } from './figures.ts'
import { topologyStartMs } from './shared-topology.ts'
import { type Session, underTraffic } from './under-traffic.ts'

/** Long enough to see whether answers are normal again before the machine starts a process. */
const deadMs = 1_000
const oneMs = 20_000

export const nodeKill: Experiment = {
  name: 'node-kill',
  promise: 'nodes that are killed under load fail no forecast',
  repetitions: { landing: 20, long: 200 },
  timeoutMs: (repetitions) => topologyStartMs + 60_000 + repetitions * oneMs,
  run: async (context) => {
    const kills: { fromMs: number; untilMs: number }[] = []
    return await underTraffic(context, {
      name: 'node-kill',
      traffic: { forecastsPerSecond: 150 },
      repeat: async (session, seed) => {
        const fromMs = performance.now()
        await killNodes(session, seed)
        kills.push({ fromMs, untilMs: fromMs + deadMs })
      },
      figures: (entries) => ({ ...forecastFigures(entries), ...slowFigures(entries, kills) }),
    })
  },
}

/** One of them or, one time in four, two at once: three are left. */
async function killNodes(session: Session, seed: number): Promise<void> {
  const { topology, down, context } = session
  const random = seededRandom(seed)
  const first = Math.floor(random() * topology.nodes.length)
  const second =
    (first + 1 + Math.floor(random() * (topology.nodes.length - 1))) % topology.nodes.length
  const chosen = random() < 0.25 ? [first, second] : [first]
  const extraMs = random() * 500
  await Promise.all(
    chosen.map((index) => {
      const node = topology.nodes[index]!
      return down(node, 'killed', async () => {
        await node.kill()
        await pause(deadMs + extraMs, context.signal)
        await node.start()
      })
    }),
  )
}
