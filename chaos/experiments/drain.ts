import { seededRandom } from '@almanac/shared'
import type { Experiment } from '../experiment.ts'
import { answerOf, type Entry, told } from '../history/entry.ts'
import { pause } from '../pause.ts'
import { forecastFigures, quantile } from './figures.ts'
import { topologyStartMs } from './shared-topology.ts'
import { type Session, underTraffic } from './under-traffic.ts'

const oneMs = 40_000

/**
 * Of each repetition two are drained at the same time, a broker and a node. Nothing is excused:
 * the users' clients are ordinary ones without retries, which go elsewhere when an answer says
 * `Connection: close` and come back when the broker is ready again. So whatever was sent to a
 * process that was about to go is to be answered.
 */
export const drain: Experiment = {
  name: 'drain',
  promise: 'brokers and nodes that are drained under 200 requests per second drop none',
  repetitions: { landing: 10, long: 500 },
  timeoutMs: (repetitions) => topologyStartMs + 60_000 + repetitions * oneMs,
  run: async (context) => {
    const tookMs: number[] = []
    return await underTraffic(context, {
      name: 'drain',
      traffic: { forecastsPerSecond: 200, scripts: ['grows', 'rolled-back'] },
      repeat: async (session, seed) => {
        tookMs.push(...(await drainPair(session, seed)))
      },
      figures: (entries, { violation }) => {
        const dropped = entries.filter(isDropped)
        for (const entry of dropped) violation(`dropped: ${told(entry)}`)
        const ofBatch = tookMs.splice(0).sort((a, b) => a - b)
        return {
          ...forecastFigures(entries),
          drains: ofBatch.length,
          dropped: dropped.length,
          drainMedianMs: quantile(ofBatch, 0.5),
          drainMostMs: quantile(ofBatch, 1),
        }
      },
    })
  },
}

async function drainPair(session: Session, seed: number): Promise<number[]> {
  const { topology, note, context } = session
  const random = seededRandom(seed)
  const chosen = [topology.brokers, topology.nodes].map(
    (parts) => parts[Math.floor(random() * parts.length)]!,
  )
  return await Promise.all(
    chosen.map(async (part) => {
      await pause(random() * 500, context.signal)
      note(`${part.name}: drained`)
      const startedMs = performance.now()
      await part.stop()
      const tookMs = performance.now() - startedMs
      note(`${part.name} is gone`)
      await part.start()
      note(`${part.name} is ready`)
      return tookMs
    }),
  )
}

/** A request of any kind without an answer, or a forecast that was refused. */
function isDropped(entry: Entry): boolean {
  const answer = answerOf(entry)
  return answer === undefined || (entry.asked.kind === 'forecast' && answer.status >= 500)
}
