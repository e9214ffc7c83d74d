import { answerOf, type Entry, told } from '../history/entry.ts'
import type { LogSeen, Records } from '../history/records.ts'

/**
 * The log of each model is a chain without gaps, and what a fit made serve is newer than all that
 * served before; only a rollback goes back.
 */
export function brokenLogs(records: Records): string[] {
  return [...records.logs].flatMap(([model, log]) => {
    const faults: string[] = []
    let highest = 0
    for (const [i, { n, from, to, why }] of log.entries()) {
      const before = log[i - 1]
      if (n !== i + 1) faults.push(`${model}: entry ${n} of the log stands at place ${i + 1}`)
      if (from !== (before?.to ?? null))
        faults.push(`${model}: entry ${n} goes on from ${from}, served had ${before?.to ?? null}`)
      if (why === 'fit' && (to ?? 0) <= highest)
        faults.push(`${model}: entry ${n} lets ${to} serve after ${highest}, without a rollback`)
      highest = Math.max(highest, to ?? 0)
    }
    const serving = records.models.find((each) => each.model === model)?.serving ?? null
    const last = log.at(-1)?.to ?? null
    if (serving !== last) faults.push(`${model}: ${serving} serves, the log ends with ${last}`)
    return faults
  })
}

/**
 * What one broker says of one model never goes back between an answer and a request sent after it.
 * The log tells the order of all that ever served, so rollbacks and deletions need no excuse: each
 * answer is given the earliest place in the log that it can have, not before those of the answers
 * that came before it was sent, nor a place that nobody had asked for yet. An answer without such a
 * place is from the past, or from nowhere.
 */
export function stepsBack(entries: readonly Entry[], records: Records): string[] {
  const sightings = entries.flatMap(sightingOf)
  const groups = Object.groupBy(sightings, ({ entry }) => `${entry.broker} ${entry.asked.model}`)
  return Object.values(groups).flatMap((group) => {
    const { model } = group![0]!.entry.asked
    const log = records.logs.get(model)
    if (log === undefined) return []
    const changes = entries.filter(({ asked }) => asked.model === model)
    return stepsBackOf(group!, log, earliestOf(log, changes))
  })
}

/** One look at what serves. */
type Sighting = {
  readonly entry: Entry
  /** Null: the model is not there, or nothing serves. */
  readonly serving: number | null
}

function sightingOf(entry: Entry): Sighting[] {
  const answer = answerOf(entry)
  const { asked } = entry
  if (answer === undefined) return []
  if (asked.kind === 'forecast' && asked.version === null) {
    if (answer.status === 200) return [{ entry, serving: answer.version }]
    return answer.word === 'no-such-model' ? [{ entry, serving: null }] : []
  }
  const isServing = asked.kind === 'fit' && answer.status === 200 && answer.word === 'serving'
  if (isServing) return [{ entry, serving: answer.version }]
  const isRolledBack = asked.kind === 'rollback' && answer.status === 200
  if (isRolledBack) return [{ entry, serving: asked.version }]
  if (asked.kind === 'look' && answer.status === 200) return [{ entry, serving: answer.version }]
  if (asked.kind === 'look' && answer.status === 404) return [{ entry, serving: null }]
  return []
}

function stepsBackOf(
  group: readonly Sighting[],
  log: readonly LogSeen[],
  earliestMs: readonly number[],
): string[] {
  const places = placesOf(log)
  const faults: string[] = []
  const bySend = group.toSorted((a, b) => a.entry.sentMs - b.entry.sentMs)
  // Places of answers that have been read but are not known yet to come before what is looked at.
  const open: { readonly doneMs: number; readonly place: number }[] = []
  let floor = { place: 0, serving: null as number | null }
  for (const { entry, serving } of bySend) {
    for (let i = open.length - 1; i >= 0; i--) {
      const { doneMs, place } = open[i]!
      if (doneMs >= entry.sentMs) continue
      open.splice(i, 1)
      if (place > floor.place) floor = { place, serving: log[place - 1]?.to ?? null }
    }
    const place = places
      .get(serving)
      ?.find((each) => each >= floor.place && earliestMs[each]! <= entry.doneMs)
    if (place === undefined)
      faults.push(
        `${serving ?? 'nothing'} after ${floor.serving ?? 'nothing'}, entry ${floor.place} of the ` +
          `log: ${told(entry)}`,
      )
    else open.push({ doneMs: entry.doneMs, place })
  }
  return faults
}

/** Where each version stands in the log: 0 is before its first entry, when nothing served. */
function placesOf(log: readonly LogSeen[]): ReadonlyMap<number | null, readonly number[]> {
  const places = new Map<number | null, number[]>([[null, [0]]])
  for (const { n, to } of log) places.set(to, [...(places.get(to) ?? []), n])
  return places
}

/**
 * Of each place in the log: it was not there before, since nobody had asked for it yet. A fit that
 * was sent again with its key may have been made at the first time, which got no answer.
 */
function earliestOf(log: readonly LogSeen[], entries: readonly Entry[]): readonly number[] {
  const asked = new Map<string, number[]>()
  const firstMs = new Map<string, number>()
  for (const entry of entries.toSorted((a, b) => a.sentMs - b.sentMs)) {
    const key = entry.asked.kind === 'fit' ? entry.asked.key : null
    if (key !== null && !firstMs.has(key)) firstMs.set(key, entry.sentMs)
    const sentMs = key === null ? entry.sentMs : firstMs.get(key)!
    const name = changeAsked(entry)
    if (name !== undefined) asked.set(name, [...(asked.get(name) ?? []), sentMs])
  }
  const earliest = [0]
  for (const { to, why } of log) {
    const name = `${why} ${why === 'deleted' ? '' : to}`
    // Each change has a request of its own; the first one of this kind may have made this one.
    const sentMs = asked.get(name)?.shift() ?? 0
    earliest.push(Math.max(earliest.at(-1)!, sentMs))
  }
  return earliest
}

function changeAsked({ asked, outcome }: Entry): string | undefined {
  if (outcome.kind === 'unreached') return undefined
  if (asked.kind === 'delete') return 'deleted '
  if (asked.kind === 'rollback') return `rollback ${asked.version}`
  const isFitted = asked.kind === 'fit' && outcome.kind === 'answered' && outcome.version !== null
  return isFitted ? `fit ${outcome.version}` : undefined
}
