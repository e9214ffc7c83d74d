import type { Experiment } from '../experiment.ts'
import { answerOf, type Entry, type Fit, isFit, told } from '../history/entry.ts'
import { pause } from '../pause.ts'
import type { Part } from '../topology/topology.ts'
import { acknowledged } from '../traffic/changes.ts'
import { forecastFigures, quantile } from './figures.ts'
import { topologyStartMs } from './shared-topology.ts'
import { type Session, underTraffic } from './under-traffic.ts'

const awayMs = 60_000
/** Longer than a lease lasts: what ends with it ends while the other backend is there. */
const aloneMs = 15_000
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
    const fitsAgainMs: number[] = []
    return await underTraffic(context, {
      name: 'outages',
      traffic: { forecastsPerSecond: 100, scripts: ['grows', 'rolled-back'] },
      repeat: async (session, seed) => {
        const { etcd, cql } = session.topology
        // One alone, both, the other alone; of four seeds each one kills and freezes others.
        const away = await Promise.all([
          takeAway(session, etcd, seed % 2 === 1, 0),
          takeAway(session, [cql], seed % 4 >= 2, aloneMs),
        ])
        windows.push(...away)
        fitsAgainMs.push(await untilFitsAgain(session))
      },
      figures: (entries, session) => {
        const refused = [...new Set(windows.flatMap((window) => refusedIn(entries, window)))]
        for (const fit of refused) judge(fit, session)
        const tookMs = refused.map(({ sentMs, doneMs }) => doneMs - sentMs).sort((a, b) => a - b)
        return {
          ...forecastFigures(entries),
          fitsRefused: refused.length,
          refusedMedianMs: quantile(tookMs, 0.5),
          refusedMostMs: quantile(tookMs, 1),
          fitsAgainMs: Math.round(Math.max(0, ...fitsAgainMs)),
        }
      },
    })
  },
}

type Outage = { readonly fromMs: number; readonly toMs: number }

/** Kills or freezes all of a backend for a minute, and brings it back. */
async function takeAway(
  session: Session,
  parts: readonly Part[],
  freezes: boolean,
  afterMs: number,
): Promise<Outage> {
  const { context, down } = session
  await pause(afterMs, context.signal)
  const fromMs = performance.now()
  let toMs = fromMs
  const asking = askAgainAndAgain(session, fromMs + awayMs)
  await Promise.all(
    parts.map((part) =>
      down(part, freezes ? 'frozen' : 'killed', async () => {
        if (freezes) part.pause()
        else await part.kill()
        await asking
        toMs = performance.now()
        if (freezes) part.resume()
        else await part.start()
      }),
    ),
  )
  return { fromMs, toMs }
}

async function askAgainAndAgain(session: Session, untilMs: number): Promise<void> {
  const { signal } = session.context
  while (performance.now() < untilMs && !signal.aborted) {
    await askForFit(session)
    await pause(Math.min(askEveryMs, Math.max(0, untilMs - performance.now())), signal)
  }
}

/** From the return of the last backend to a fit that serves. */
async function untilFitsAgain(session: Session): Promise<number> {
  const { context, violation } = session
  const backMs = performance.now()
  for (;;) {
    const entry = await askForFit(session)
    const tookMs = performance.now() - backMs
    if (acknowledged(entry) !== undefined || context.signal.aborted) return tookMs
    if (tookMs > fitsAgainWithinMs) {
      violation(`no fit ${fitsAgainWithinMs} ms after the last backend was back: ${told(entry)}`)
      return tookMs
    }
    await pause(100, context.signal)
  }
}

const fitsAgainWithinMs = 10_000

async function askForFit({ traffic }: Session): Promise<Entry> {
  const model = traffic.models[0]!
  const client = traffic.clients[traffic.entries.length % traffic.clients.length]!
  const data = traffic.nextData('small')
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
