import { seededRandom } from '@almanac/shared'
import type { Experiment } from '../experiment.ts'
import { answerOf, type Entry, type Fit, isFit, told } from '../history/entry.ts'
import type { Part } from '../topology/topology.ts'
import { acknowledged } from '../traffic/changes.ts'
import { topologyStartMs } from './shared-topology.ts'
import { forecastFigures, pause, quantile, type Session, underTraffic } from './under-traffic.ts'

const awayMs = 60_000
/** What is under way when a backend goes away may take as long as a try of it. */
const noticedMs = 3_000
const refusedWithinMs = 1_000
/** Between two fits that are to be refused. */
const askEveryMs = 1_000
/** Two outages, two starts, and the traffic around them. */
const oneMs = 240_000

export const outages: Experiment = {
  name: 'outages',
  promise:
    'etcd away and the database away fail no forecast of a loaded model; fits are refused in 1 s',
  repetitions: { landing: 1, long: 20 },
  timeoutMs: (repetitions) => topologyStartMs + 60_000 + repetitions * oneMs,
  run: async (context) => {
    const windows: Outage[] = []
    return await underTraffic(context, {
      name: 'outages',
      traffic: { forecastsPerSecond: 100, scripts: ['grows', 'rolled-back'] },
      repeat: async (session, seed) => {
        const random = seededRandom(seed)
        windows.push(await takeAway(session, 'etcd', session.topology.etcd, random))
        windows.push(await takeAway(session, 'cql', [session.topology.cql], random))
      },
      figures: (entries, session) => {
        const refused = windows.flatMap((window) => refusedIn(entries, window))
        for (const fit of refused) judge(fit, session)
        const tookMs = refused.map(({ sentMs, doneMs }) => doneMs - sentMs).sort((a, b) => a - b)
        const fitsAgain = (what: string) =>
          Math.max(0, ...windows.filter((each) => each.what === what).map((w) => w.fitsAgainMs))
        return {
          ...forecastFigures(entries),
          fitsRefused: refused.length,
          refusedMedianMs: quantile(tookMs, 0.5),
          refusedMostMs: quantile(tookMs, 1),
          fitsAfterEtcdMs: Math.round(fitsAgain('etcd')),
          fitsAfterCqlMs: Math.round(fitsAgain('cql')),
        }
      },
    })
  },
}

type Outage = {
  readonly what: string
  readonly fromMs: number
  readonly toMs: number
  /** From the return of the backend to a fit that serves. */
  readonly fitsAgainMs: number
}

/** Kills or freezes all of it for a minute, and brings it back. */
async function takeAway(
  session: Session,
  what: string,
  parts: readonly Part[],
  random: () => number,
): Promise<Outage> {
  const { context, traffic, down, violation } = session
  const freezes = random() < 0.5
  const all = async (work: (part: Part) => Promise<void>) => {
    await Promise.all(parts.map(work))
  }
  const fromMs = performance.now()
  let toMs = fromMs
  await all(async (part) => {
    await down(part, freezes ? 'frozen' : 'killed', async () => {
      if (freezes) part.pause()
      else await part.kill()
      while (performance.now() < fromMs + awayMs && !context.signal.aborted) {
        if (part === parts[0]) await askForFit(session)
        await pause(askEveryMs, context.signal)
      }
      toMs = performance.now()
      if (freezes) part.resume()
      else await part.start()
    })
  })
  const backMs = performance.now()
  for (;;) {
    const entry = await askForFit(session, traffic.nextData('small'))
    if (acknowledged(entry) !== undefined) break
    if (performance.now() - backMs > fitsAgainWithinMs || context.signal.aborted) {
      violation(`no fit ${fitsAgainWithinMs} ms after ${what} was back: ${told(entry)}`)
      break
    }
    await pause(100, context.signal)
  }
  return { what, fromMs, toMs, fitsAgainMs: performance.now() - backMs }
}

const fitsAgainWithinMs = 10_000

async function askForFit({ traffic }: Session, data = traffic.nextData('small')): Promise<Entry> {
  const model = traffic.models[0]!
  const client = traffic.clients[Math.floor(traffic.entries.length) % traffic.clients.length]!
  return await client.send({ kind: 'fit', model, data, key: null, respondAsync: false })
}

/** The fits that were sent when the backend was surely away, and answered before it was back. */
function refusedIn(entries: readonly Entry[], { fromMs, toMs }: Outage): Fit[] {
  return entries
    .filter(isFit)
    .filter(({ sentMs, doneMs }) => sentMs >= fromMs + noticedMs && doneMs <= toMs)
}

function judge(fit: Fit, { violation }: Session): void {
  const answer = answerOf(fit, 503)
  if (answer === undefined || !answer.retryAfter) violation(`not refused: ${told(fit)}`)
  else if (fit.doneMs - fit.sentMs > refusedWithinMs) violation(`refused too late: ${told(fit)}`)
}
