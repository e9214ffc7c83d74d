import { answerOf, type Entry, type Forecast, isForecast, told } from '../history/entry.ts'
import { absenceExcuses } from './absence.ts'
import { hadBackends, lastDisturbedMs, type Weather, wasUp, wasWhole } from './disturbance.ts'

/** Why a forecast without an answer breaks no promise. */
export type Excuse = 'model-deleted' | 'broker-down' | 'no-node' | 'pinned'

/**
 * No forecast that reaches a live broker fails while a node that this broker can reach has the
 * model. What does not count as a failure:
 * - a broken or refused connection while the broker was not well: it was not a live one;
 * - any failure while no node was well, with a whole way from the broker, and for so long that it
 *   had loaded what it should (a node that has just started holds nothing yet);
 * - a 503 while the model was deleted, or was back and the broker could not know (`absence.ts`);
 * - of a pinned version, or of `at_least`, a 503 while etcd, the database or a way to them was
 *   disturbed, or had been just before: the one may have to be read, of the other the broker may
 *   not have heard;
 * - answers that refuse the question (4xx): whether the model is there is for `stepsBack` to judge.
 */
export function failedForecasts(entries: readonly Entry[], weather: Weather): string[] {
  return unanswered(entries, weather)
    .filter(({ excuse }) => excuse === undefined)
    .map(({ entry }) => `failed: ${told(entry)}`)
}

/** Every forecast without an answer, and what excuses it, if anything does. */
export function unanswered(
  entries: readonly Entry[],
  weather: Weather,
): { readonly entry: Forecast; readonly excuse: Excuse | undefined }[] {
  const isAbsent = absenceExcuses(entries, weather)
  const excuseOf = (entry: Forecast): Excuse | undefined => {
    const { asked, broker, sentMs, doneMs } = entry
    if (isAbsent(entry)) return 'model-deleted'
    if (!wasUp(weather, broker, sentMs, doneMs)) return 'broker-down'
    const hadNode = weather.nodes.some(
      (node) =>
        wasUp(weather, node, sentMs - nodeSettleMs, doneMs) &&
        wasWhole(weather, { from: broker, to: node }, sentMs, doneMs),
    )
    if (!hadNode) return 'no-node'
    const isPlain = asked.version === null && asked.atLeast === null
    if (isPlain || answerOf(entry, 503) === undefined) return undefined
    return hadBackends(weather, sentMs - backendSettleMs, doneMs) ? undefined : 'pinned'
  }
  return entries
    .filter(isForecast)
    .filter(isFailure)
    .map((entry) => ({ entry, excuse: excuseOf(entry) }))
}

/** From its start on a node loads what serves within this time, also on a busy machine. */
const nodeSettleMs = 10_000
/** Whoever talks to a backend has found it again within this time: after it all is well. */
const backendSettleMs = 10_000

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
