import {
  answerOf,
  type Entry,
  type Forecast,
  isFit,
  isForecast,
  isKnownUndone,
} from '../history/entry.ts'
import { calmFromMs, type Disturbance, type Weather } from './disturbance.ts'

/** A broker that can reach the coordinator again has heard of everything after so long. */
const healingMs = 10_000
/** So long news may take on their way when nothing is wrong. */
const newsMs = 1_000
/** Whoever waits is answered so soon after the broker has heard: three nodes may be silent. */
const answeringMs = 3_000

/** From a deletion until what was fitted later is known to serve. */
type Absence = {
  readonly fromMs: number
  readonly backMs: number
  /** By broker, when it first gave an answer that only who has heard of the return can give. */
  readonly toldMs: ReadonlyMap<string, number>
}

/**
 * Whether a 503 was all that the broker could answer: the model was deleted, or it was back and the
 * broker, cut off from the coordinator, could neither hear of it nor ask.
 */
export function absenceExcuses(
  entries: readonly Entry[],
  weather: Weather,
): (entry: Forecast) => boolean {
  const byModel = Map.groupBy(entries, ({ asked }) => asked.model)
  const known = new Map([...byModel].map(([model, own]) => [model, absencesOf(own)]))
  return (entry) => {
    const { asked, broker, sentMs, doneMs } = entry
    const absence = known.get(asked.model)?.findLast(({ fromMs }) => fromMs < doneMs)
    if (answerOf(entry, 503) === undefined || absence === undefined) return false
    const { backMs, toldMs } = absence
    const mayKnowMs = calmFromMs(weather, (each) => isInTheWay(each, broker), {
      fromMs: backMs + newsMs,
      forMs: healingMs,
    })
    const knowsMs = Math.max(backMs, Math.min(mayKnowMs, toldMs.get(broker) ?? forEver))
    return sentMs <= knowsMs && doneMs <= knowsMs + answeringMs
  }
}

const forEver = Number.POSITIVE_INFINITY

/** Between a broker and the coordinator. */
function isInTheWay(each: Disturbance, broker: string): boolean {
  if (each.kind === 'down') return each.part === broker || each.part.startsWith('etcd')
  return each.to.startsWith('etcd') && (each.from === broker || each.from.startsWith('etcd'))
}

function absencesOf(entries: readonly Entry[]): readonly Absence[] {
  const bySend = entries.toSorted((a, b) => a.sentMs - b.sentMs)
  return bySend
    .filter(
      (entry, i) => entry.asked.kind === 'delete' && mayHaveDeleted(entry, bySend.slice(i + 1)),
    )
    .map(({ sentMs: fromMs, doneMs: goneMs, outcome }) => {
      const last = outcome.kind === 'answered' && outcome.status === 200 ? outcome.version : null
      const told = entries.filter((entry) => {
        if (isFit(entry)) return entry.sentMs > fromMs && answerOf(entry, 200)?.word === 'serving'
        // By its version alone it can be told from what was deleted.
        return last !== null && entry.sentMs > goneMs && (servesIn(entry) ?? 0) > last
      })
      const toldMs = new Map<string, number>()
      for (const { broker, doneMs } of told)
        toldMs.set(broker, Math.min(doneMs, toldMs.get(broker) ?? forEver))
      return { fromMs, backMs: Math.min(forEver, ...toldMs.values()), toldMs }
    })
}

/**
 * One that was refused, or could not be begun, has not. One whose outcome is open has not either
 * when the next one, with no fit in between, found something to delete.
 */
function mayHaveDeleted(entry: Entry, later: readonly Entry[]): boolean {
  const { outcome } = entry
  if (isKnownUndone(entry)) return false
  if (outcome.kind === 'answered' && outcome.status < 500) return outcome.status === 200
  const next = later.find(({ asked }) => asked.kind === 'delete' || asked.kind === 'fit')
  return next?.asked.kind !== 'delete' || answerOf(next, 200) === undefined
}

/** The version that serves, if the answer says so. */
function servesIn(entry: Entry): number | null {
  const isPlain = isForecast(entry) && entry.asked.version === null
  if (!isPlain && entry.asked.kind !== 'look') return null
  return answerOf(entry, 200)?.version ?? null
}
