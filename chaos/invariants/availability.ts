import { answerOf, type Entry, type Forecast, isFit, isForecast, told } from '../history/entry.ts'
import { lastDisturbedMs, type Weather, wasCalm, wasUp, wasWhole } from './disturbance.ts'

/**
 * No forecast that reaches a live broker fails while a node that this broker can reach has the
 * model. What does not count as a failure:
 * - a broken or refused connection while the broker was not well: it was not a live one;
 * - any failure while no node was well, with a whole way from the broker, and for so long that it
 *   had loaded what it should (a node that has just started holds nothing yet);
 * - a 503 while the model was deleted and nobody had been told that it serves again; also, that a
 *   broker cannot ask the coordinator for it while it may not have heard of its return;
 * - of a pinned version, or of `at_least`, a 503 while anything was disturbed: the one may have to
 *   be loaded, of the other the broker may not have heard;
 * - answers that refuse the question (4xx): whether the model is there is for `stepsBack` to judge.
 */
export function failedForecasts(
  entries: readonly Entry[],
  weather: Weather,
  settleMs = nodeSettleMs,
): string[] {
  const absences = absencesIn(entries)
  return entries.filter(isForecast).flatMap((entry) => {
    const { asked, broker, sentMs, doneMs } = entry
    if (!isFailure(entry)) return []
    const absence = absences.get(asked.model)?.findLast(({ fromMs }) => fromMs < doneMs)
    if (absence !== undefined && answerOf(entry, 503)) {
      if (absence.toMs >= sentMs) return []
      const isAsking = answerOf(entry)?.word === 'coordinator-away'
      if (isAsking && !wasCalm(weather, absence.toMs, doneMs)) return []
    }
    if (!wasUp(weather, broker, sentMs, doneMs)) return []
    const hadNode = weather.nodes.some(
      (node) =>
        wasUp(weather, node, sentMs - settleMs, doneMs) &&
        wasWhole(weather, { from: broker, to: node }, sentMs, doneMs),
    )
    if (!hadNode) return []
    const isPlain = asked.version === null && asked.atLeast === null
    const isExcused = !isPlain && answerOf(entry, 503) && !wasCalm(weather, sentMs, doneMs)
    return isExcused ? [] : [`failed: ${told(entry)}`]
  })
}

/** From a deletion until a fit that was asked for later is known to serve. */
type Absence = { readonly fromMs: number; readonly toMs: number }

function absencesIn(entries: readonly Entry[]): ReadonlyMap<string, readonly Absence[]> {
  const served = Map.groupBy(
    entries.filter((entry) => isFit(entry) && answerOf(entry, 200)?.word === 'serving'),
    ({ asked }) => asked.model,
  )
  const deletions = entries.filter(({ asked }) => asked.kind === 'delete')
  const absences = deletions
    .toSorted((a, b) => a.sentMs - b.sentMs)
    .map(({ asked: { model }, sentMs: fromMs }) => {
      const returns = (served.get(model) ?? []).filter(({ sentMs }) => sentMs > fromMs)
      return { model, fromMs, toMs: Math.min(forEver, ...returns.map(({ doneMs }) => doneMs)) }
    })
  return Map.groupBy(absences, ({ model }) => model)
}

const forEver = Number.POSITIVE_INFINITY

/** From its start on a node loads what serves within this time, also on a busy machine. */
const nodeSettleMs = 10_000

/** Whether a user was left without an answer to a question that has one. */
export function isFailure(entry: Forecast): boolean {
  const { outcome } = entry
  return outcome.kind !== 'answered' || outcome.status >= 500 || outcome.status === 429
}

/** No request is ever answered that something is wrong on our side. */
export function internalErrors(entries: readonly Entry[]): string[] {
  return entries.flatMap((entry) => {
    const { status = 0, retryAfter } = answerOf(entry) ?? {}
    if (status >= 500 && status !== 503) return [`answered ${status}: ${told(entry)}`]
    return status === 503 && !retryAfter ? [`503 without Retry-After: ${told(entry)}`] : []
  })
}

/** From so long after the last disturbance on nothing at all fails, whatever the question. */
export function notWellAgain(
  entries: readonly Entry[],
  weather: Weather,
  withinMs: number,
): string[] {
  const wellMs = lastDisturbedMs(weather) + withinMs
  return entries.flatMap((entry) => {
    if (entry.sentMs < wellMs) return []
    const { outcome } = entry
    const isWell = outcome.kind === 'answered' && outcome.status < 500 && outcome.status !== 429
    return isWell ? [] : [`still not well: ${told(entry)}`]
  })
}
