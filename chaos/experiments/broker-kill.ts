import { seededRandom } from '@almanac/shared'
import type { Experiment } from '../experiment.ts'
import { type Asked, answerOf, isFit } from '../history/entry.ts'
import { acknowledgedFits } from '../invariants/fits.ts'
import { pause } from '../pause.ts'
import { acknowledged } from '../traffic/changes.ts'
import type { Client } from '../traffic/client.ts'
import { forecastFigures } from './figures.ts'
import { topologyStartMs } from './shared-topology.ts'
import { type Session, underTraffic } from './under-traffic.ts'

const oneMs = 30_000
/** A fit of the slow data takes about a second: any instant of it may be hit. */
const withinMs = 1_500

export const brokerKill: Experiment = {
  name: 'broker-kill',
  promise: 'a broker killed while fits are under way loses none that was acknowledged',
  repetitions: { landing: 10, long: 100 },
  timeoutMs: (repetitions) => topologyStartMs + 60_000 + repetitions * oneMs,
  run: async (context) =>
    await underTraffic(context, {
      name: 'broker-kill',
      traffic: { forecastsPerSecond: 60, changePauseMs: 500 },
      repeat: killBroker,
      figures: (entries) => ({
        fitsAcknowledged: new Set(acknowledgedFits(entries).map(({ job }) => job)).size,
        fitsWithoutAnswer: entries.filter(isFit).filter((entry) => !answerOf(entry)).length,
        ...forecastFigures(entries),
      }),
    }),
}

/**
 * Three fits at one broker, which is killed at some instant: one that waits, one that does not, and
 * one of a careless user. The careful ones then ask again at the other broker, with the same key.
 */
async function killBroker(session: Session, seed: number): Promise<void> {
  const { topology, traffic, down, context, violation } = session
  const random = seededRandom(seed)
  const broker = topology.brokers[Math.floor(random() * topology.brokers.length)]!
  const clients = await clientsAtHome(session, broker.name)
  if (clients === undefined) {
    if (!context.signal.aborted) violation(`seed ${seed}: ${broker.name} has no users`)
    return
  }
  const { client, other } = clients
  const model = traffic.models[0]!
  const asks = [true, false, null].map((respondAsync, i): Asked => {
    const key = respondAsync === null ? null : `killed-${model}-${seed}-${i}`
    const data = traffic.nextData('slow')
    return { kind: 'fit', model, data, key, respondAsync: respondAsync ?? false }
  })
  const sent = asks.map((asked) => client.send(asked))
  await pause(random() * withinMs, context.signal)
  let again: Promise<(number | undefined)[]> = Promise.resolve([])
  await down(broker, 'killed', async () => {
    await broker.kill()
    const careful = asks.filter((asked) => asked.kind === 'fit' && asked.key !== null)
    again = Promise.all(careful.map((asked) => askedAgain(other, asked, context.signal)))
    await broker.start()
  })
  await Promise.all(sent)
  if ((await again).includes(undefined) && !context.signal.aborted)
    violation(`seed ${seed}: no answer to a fit that was sent again with its key`)
}

const backHomeMs = 15_000

/** Users of this broker and of another one, once those have come back who went away before. */
async function clientsAtHome({ traffic, context }: Session, broker: string) {
  const untilMs = performance.now() + backHomeMs
  while (performance.now() < untilMs && !context.signal.aborted) {
    const client = traffic.clients.find((each) => each.broker().name === broker)
    const other = traffic.clients.find((each) => each.broker().name !== broker)
    if (client && other) return { client, other }
    await pause(50, context.signal)
  }
  return undefined
}

/** The version, once there is an answer. */
async function askedAgain(
  client: Client,
  asked: Asked,
  signal: AbortSignal,
): Promise<number | undefined> {
  const untilMs = performance.now() + oneMs
  while (performance.now() < untilMs && !signal.aborted) {
    const entry = await client.send(asked)
    const version = acknowledged(entry)
    if (version !== undefined) return version
    await pause(250, signal)
  }
  return undefined
}
