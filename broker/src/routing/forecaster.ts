import { type ClusterState, type ModelName, Refused, type VersionRecord } from '@almanac/shared'
import pRetry from 'p-retry'
import type { Bounds } from '../config/bounds.ts'
import { someNames } from '../view/first-in-order.ts'
import { type Ask, answerKey, idOf } from './ask.ts'
import { type Cancel, createFlights, type Flight, flyAlone } from './flight.ts'
import type { Hearsay } from './hearsay.ts'
import { openMax } from './load.ts'
import type { Lookup } from './lookup.ts'
import type { Peer } from './peer.ts'
import { resolveVersion } from './resolve.ts'
import type { Answer, ResponseCache } from './response-cache.ts'
import { forecastErrand, type Tried, type TryParts, tryNodes, withAll } from './try-nodes.ts'
import type { WaitingRoom } from './waiting-room.ts'

/** What goes to the client: an answer, or what a node said instead. */
type Outcome =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | {
      readonly kind: 'forward'
      readonly status: number
      readonly contentType: string
      readonly body: Buffer
      readonly version: number
    }

export type Forecaster = {
  /** The version that would answer now, if that can be said without asking anybody. */
  readonly versionNow: (ask: Ask) => number | undefined
  /** A kept answer. */
  readonly kept: (ask: Ask, version: number) => Answer | undefined
  /** Whether every node has more to do than it can: asking one of them is of no use. */
  readonly isFull: () => boolean
  /**
   * Asks nodes for the version that would answer now, and tells what came of it, later and once;
   * undefined: nothing that anybody foresaw. Undefined at once where nobody can be asked yet.
   */
  readonly first: (
    ask: Ask,
    requestId: string,
    done: (first: First | undefined) => void,
  ) => { readonly leave: () => void } | undefined
  /**
   * The version that would answer, waiting for one if need be; throws as `answer` does. Who streams
   * stays with it.
   */
  readonly version: (ask: Ask, requestId: string, signal: AbortSignal) => Promise<number>
  /**
   * Answers, waiting for a node if need be, from where a first round has led to. Throws `Refused`
   * when there is no answer, and `Unavailable` when only the coordinator could tell. The signal is
   * the client's patience.
   */
  readonly answer: (
    ask: Ask,
    requestId: string,
    signal: AbortSignal,
    first?: First,
  ) => Promise<Outcome>
}

/** What came of asking for a version. */
export type First = {
  readonly version: number
  readonly tried: Tried
  /** When it was begun, monotonic. */
  readonly begunMs: number
}

export type ForecasterParts = TryParts & {
  readonly state: () => ClusterState
  readonly cache: ResponseCache
  readonly room: WaitingRoom
  readonly lookup: Lookup
  readonly hearsay: Hearsay
  /** What nodes have an order for where a series is asked for, if that is known in time. */
  readonly shardOf: (of: ModelName, version: number, series: string) => Promise<string | undefined>
  readonly bounds: Bounds
  readonly onRetry: (count: number) => void
}

const nobody: readonly Peer[] = []

/** One for all, since what is refused in great numbers must cost little. */
export const overloaded = unavailable('overloaded', 'Every node has all that it can do.')

/** Not now, but worth waiting for. */
class NotReady extends Error {
  override name = 'NotReady'
  readonly code: string
  constructor(code: string, why: string) {
    super(why)
    this.code = code
  }
}

type Course = {
  sent: number
  broken: readonly Peer[]
  moves: number
  /** Why nobody answered so far. */
  why?: string | undefined
  readonly requestId: string
  /** Until then, monotonic, nodes are asked again. */
  readonly endMs: number
  /** What is known before the first look. */
  first: First | undefined
}

export function createForecaster(parts: ForecasterParts): Forecaster {
  const { router, cache, bounds, clock } = parts
  const flights = createFlights<Tried>()
  const noVersions: ReadonlyMap<number, { value: VersionRecord }> = new Map()

  const resolve = (ask: Ask) => {
    const id = idOf(ask)
    const routes = router.table().models.get(id)
    return (
      routes && resolveVersion(ask, routes.record, parts.state().versions.get(id) ?? noVersions)
    )
  }
  const versionNow = (ask: Ask) => {
    if (ask.version === 'serving' && ask.atLeast === null)
      return router.table().models.get(idOf(ask))?.record.serving ?? undefined
    const resolution = resolve(ask)
    return resolution?.kind === 'version' ? resolution.version : undefined
  }
  /** One look at the table and, with a version in hand, at the nodes. */
  const once = async (ask: Ask, course: Course, signal: AbortSignal): Promise<Outcome> => {
    for (;;) {
      signal.throwIfAborted()
      const { first } = course
      course.first = undefined
      const version = first?.version ?? (await versionOf(ask, course.requestId))
      const answer = cache.get(answerKey(ask, version))
      if (answer) return { kind: 'answer', answer }
      const tried = first?.tried ?? (await fly(ask, version, course, signal))
      if (tried.kind !== 'moved') return settle(tried, ask, version)
      course.moves += 1
      if (course.moves > bounds.triesMax) throw new NotReady('moving', 'the model keeps moving on')
    }
  }
  const versionOf = async (ask: Ask, requestId: string): Promise<number> => {
    const resolution = resolve(ask) ?? (await lookUpModel(ask, requestId))
    switch (resolution.kind) {
      case 'version':
        return resolution.version
      case 'wait': {
        const heard = (await parts.hearsay(ask, requestId)) ? resolve(ask) : undefined
        if (heard?.kind === 'version') return heard.version
        throw new NotReady('not-ready', resolution.why)
      }
      case 'refused':
        throw new Refused(resolution.status, resolution.code, resolution.detail)
      case 'unseen':
        throw await whyUnseen(parts.lookup, ask, resolution.version)
    }
  }
  const lookUpModel = async (ask: Ask, requestId: string) => {
    const id = idOf(ask)
    try {
      const { model } = await parts.lookup(ask)
      if (model === null) throw unknownModel(ask, router.table().models.keys())
      router.adopt(id, model.record, model.modRevision)
    } catch (error) {
      if (error instanceof Refused) throw error
      await parts.hearsay(ask, requestId)
      if (!router.table().models.has(id)) throw error
    }
    return resolve(ask) ?? { kind: 'wait' as const, why: `${ask.model} is only just known` }
  }
  const depart = (ask: Ask, version: number, course: Omit<Course, 'moves' | 'first'>) => {
    const { requestId, endMs, sent: sentBefore, broken: brokenBefore, why: whyBefore } = course
    const errand = forecastErrand
    const tryAll = (shard: string | undefined, cancel: Cancel) =>
      tryNodes(parts, {
        errand,
        ask,
        shard,
        version,
        requestId,
        sentBefore,
        brokenBefore,
        whyBefore,
        endMs,
        cancel,
      })
    const { series } = ask
    const start = (cancel: Cancel) =>
      series === undefined
        ? tryAll(undefined, cancel)
        : parts.shardOf(ask, version, series).then((shard) => tryAll(shard, cancel))
    // Without a cache every request is to reach a node; else those that ask the same share one.
    if (bounds.responseCacheBytes === 0) return flyAlone(start)
    return flights.join(answerKey(ask, version), start)
  }
  const fly = async (ask: Ask, version: number, course: Course, signal: AbortSignal) => {
    const { sent } = course
    const flight = depart(ask, version, course)
    signal.addEventListener('abort', flight.leave, { once: true })
    const tried = await inTime(flight, course.endMs + bounds.tryTimeoutMs - clock.monotonicMs())
    signal.removeEventListener('abort', flight.leave)
    if (tried.sent > 1 || (sent > 0 && tried.sent > 0)) parts.onRetry(tried.sent)
    course.sent += tried.sent
    course.broken = withAll(course.broken, tried.broken)
    if (tried.kind === 'nobody') course.why = tried.why
    signal.throwIfAborted()
    return tried
  }
  const settle = (tried: Exclude<Tried, { kind: 'moved' }>, ask: Ask, version: number): Outcome => {
    switch (tried.kind) {
      case 'answer':
        cache.set(answerKey(ask, version), tried.answer)
        return { kind: 'answer', answer: tried.answer }
      case 'forward':
        return { ...tried, version }
      case 'nobody':
        throw new NotReady('no-node', `version ${version} of ${ask.model}: ${tried.why}`)
      case 'busy':
        throw overloaded
      case 'exhausted':
        throw unavailable('no-answer', `No node answered: ${tried.why}.`)
    }
  }
  return {
    versionNow,
    kept: (ask, version) => cache.get(answerKey(ask, version)),
    isFull: () => {
      const { confirmed, unconfirmed } = router.table().serving
      if (confirmed.length === 0 || unconfirmed.length > 0) return false
      const nowMs = clock.monotonicMs()
      return confirmed.every((peer) => peer.inFlight >= openMax(peer.load, nowMs, bounds))
    },
    first: (ask, requestId, done) => {
      const version = versionNow(ask)
      if (version === undefined) return undefined
      parts.budget.request()
      const begunMs = clock.monotonicMs()
      const endMs = begunMs + bounds.nodeWaitMs
      const flight = depart(ask, version, { requestId, endMs, sent: 0, broken: nobody })
      flight.outcome.then(
        (tried) => {
          if (tried.sent > 1) parts.onRetry(tried.sent)
          if (tried.kind === 'answer') cache.set(answerKey(ask, version), tried.answer)
          done({ version, tried, begunMs })
        },
        () => done(undefined),
      )
      return flight
    },
    answer: async (ask, requestId, signal, first) => {
      if (first === undefined) parts.budget.request()
      const { sent = 0, broken = nobody } = first?.tried ?? {}
      const why = first?.tried.kind === 'nobody' ? first.tried.why : undefined
      const endMs = (first?.begunMs ?? clock.monotonicMs()) + bounds.nodeWaitMs
      const course: Course = { sent, broken, why, moves: 0, requestId, endMs, first }
      return await patiently(parts, ask, { endMs, signal }, () => {
        course.moves = 0
        return once(ask, course, signal)
      })
    },
    version: async (ask, requestId, signal) => {
      const endMs = clock.monotonicMs() + bounds.nodeWaitMs
      return await patiently(parts, ask, { endMs, signal }, () => versionOf(ask, requestId))
    },
  }
}

type Patience = { readonly endMs: number; readonly signal: AbortSignal }

/** At once if possible, else as soon as it is, within the time that is given. */
async function patiently<T>(
  parts: ForecasterParts,
  ask: Ask,
  patience: Patience,
  attempt: () => Promise<T>,
): Promise<T> {
  try {
    return await attempt()
  } catch (error) {
    if (!(error instanceof NotReady)) throw error
    if (parts.clock.monotonicMs() >= patience.endMs) throw inVain(error, parts.bounds)
  }
  return await waitAndTry(parts, ask, patience, attempt)
}

/** What others have begun later may end later: nobody waits for it longer than for his own. */
async function inTime(flight: Flight<Tried>, leftMs: number): Promise<Tried> {
  return await new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      flight.leave()
      resolve({ kind: 'nobody', why: 'no node answered in time', sent: 0, broken: nobody })
    }, leftMs)
    flight.outcome.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/**
 * Tries again after growing pauses, each cut short by a change of the model's routes. The end is
 * counted from the arrival of the request: silent nodes have cost it some seconds already.
 */
async function waitAndTry<T>(
  parts: ForecasterParts,
  ask: Ask,
  { endMs, signal }: Patience,
  attempt: () => Promise<T>,
): Promise<T> {
  const { bounds, room, clock, random } = parts
  if (!room.enter()) throw unavailable('too-many-waiting', 'Too many requests wait for a node.')
  const pause = async (attemptNumber: number) => {
    const capMs = Math.min(bounds.waitPauseMaxMs, bounds.waitPauseMs * 2 ** attemptNumber)
    const leftMs = endMs - clock.monotonicMs()
    await room.pause(idOf(ask), Math.max(0, Math.min(leftMs, capMs * (0.5 + random() / 2))), signal)
  }
  try {
    await pause(0)
    return await pRetry(attempt, {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: 0,
      maxTimeout: 0,
      signal,
      onFailedAttempt: ({ attemptNumber }) => pause(Math.min(attemptNumber, 30)),
      shouldRetry: ({ error }) => error instanceof NotReady && clock.monotonicMs() < endMs,
    })
  } catch (error) {
    if (!(error instanceof NotReady)) throw error
    throw inVain(error, bounds)
  } finally {
    room.leave()
  }
}

function inVain({ code, message }: NotReady, { nodeWaitMs }: Bounds): Refused {
  return unavailable(code, `Waited ${nodeWaitMs} ms in vain: ${message}.`)
}

async function whyUnseen(lookup: Lookup, ask: Ask, version: number): Promise<Error> {
  const { lastVersion } = await lookup(ask)
  if (version <= lastVersion) return new NotReady('not-ready', `version ${version} is new`)
  const last = lastVersion === 0 ? 'there is none yet' : `the newest is ${lastVersion}`
  return new Refused(404, 'no-such-version', `${ask.model} has no version ${version}; ${last}.`, {
    field: 'version',
  })
}

function unknownModel(ask: Ask, ids: Iterable<string>): Refused {
  const names = someNames(namesOf(ask.tenant, ids))
  const exist = names === '' ? 'There are none yet.' : `There are: ${names}.`
  return new Refused(404, 'no-such-model', `There is no model ${ask.model}. ${exist}`, {
    field: 'model',
    remedy: 'Fit one: POST /api/models/{model}/fit.',
  })
}

export function unavailable(code: string, detail: string): Refused {
  return new Refused(503, code, detail, { retryAfterSeconds: 1 })
}

function* namesOf(tenant: string, ids: Iterable<string>): Generator<string> {
  const prefix = `${tenant}/`
  for (const id of ids) if (id.startsWith(prefix)) yield id.slice(prefix.length)
}
