import { limits } from '@almanac/shared'
import type { Operation } from '../linearizability/history.ts'
import { answerOf, type Entry, isKnownUndone } from './entry.ts'
import type { LogSeen, Records } from './records.ts'

/** What was done to the models, and seen of them, in the words of the checker. */
export function operationsOf(entries: readonly Entry[], records: Records): Operation[] {
  const fits = fitsOf(entries)
  const rest = entries.flatMap(operationsOfEntry)
  const endMs = entries.reduce((latest, { doneMs }) => Math.max(latest, doneMs), 0) + 1
  const promotions = [...records.logs].flatMap(([model, log]) => {
    const own = entries.filter(({ asked }) => asked.model === model)
    const ownFits = fits.filter((fit) => fit.model === model)
    return promotionsOf(model, log, { entries: own, fits: ownFits, endMs })
  })
  const reads = readsOf(records, endMs)
  return [...fits, ...rest, ...promotions, ...reads].sort((a, b) => a.callMs - b.callMs)
}

/** What was read when all had come to rest: after everything that users did. */
function readsOf({ models, logs }: Records, endMs: number): Operation[] {
  return models.flatMap(({ model, serving, target, hold }): Operation[] => {
    const changes = logs.get(model)?.at(-1)?.n
    if (changes === undefined) return []
    const found = { serving, target, hold, changes }
    const act = { kind: 'read', found } as const
    return [{ client: 'records', model, callMs: endMs + 1, returnMs: endMs + 2, act }]
  })
}

/** Requests under one `Idempotency-Key` are one: from the first call to the last return. */
function fitsOf(entries: readonly Entry[]): Operation[] {
  const groups = new Map<string, Entry[]>()
  for (const entry of entries) {
    const { asked } = entry
    if (asked.kind !== 'fit' || !mayBeDone(entry)) continue
    const name = asked.key ?? `alone ${entry.number}`
    groups.set(name, [...(groups.get(name) ?? []), entry])
  }
  return [...groups.values()].map((group): Operation => {
    const { client, asked } = group[0]!
    const version = group.map((entry) => knownVersion(entry)).find((each) => each !== null) ?? null
    const ends = group.filter((entry) => isDone(entry)).map(({ doneMs }) => doneMs)
    return {
      client,
      model: asked.model,
      callMs: Math.min(...group.map(({ sentMs }) => sentMs)),
      returnMs: version === null ? null : Math.max(...ends),
      act: { kind: 'allocate', version },
    }
  })
}

const knownVersion = (entry: Entry) => (isDone(entry) ? (answerOf(entry)?.version ?? null) : null)

function operationsOfEntry(entry: Entry): Operation[] {
  const { client, broker, asked, sentMs: callMs, doneMs } = entry
  if (!mayBeDone(entry)) return []
  const answer = isDone(entry) ? answerOf(entry) : undefined
  const { model } = asked
  const returnMs = answer === undefined ? null : doneMs
  const of = (act: Operation['act'], end = returnMs): Operation => {
    return { client, model, callMs, returnMs: end, act }
  }
  switch (asked.kind) {
    case 'forecast':
      return []
    case 'fit':
      return answer?.word === 'serving' && answer.version !== null
        ? [of({ kind: 'serves', broker, version: answer.version })]
        : []
    case 'rollback': {
      const { version } = asked
      const served = of({ kind: 'serves', broker, version })
      return [of({ kind: 'rollback', version }), ...(answer?.status === 200 ? [served] : [])]
    }
    case 'release':
      return [of({ kind: 'release' })]
    case 'delete':
      return [of({ kind: 'delete', lastVersion: answer?.version ?? null })]
    case 'look': {
      if (answer?.status === 404) {
        const act = { kind: 'look', broker, found: null } as const
        return [{ ...of(act), callMs: Math.max(0, callMs - denialMs) }]
      }
      const { version: serving = null, changes = null } = answer ?? {}
      return changes === null ? [] : [of({ kind: 'look', broker, found: { serving, changes } })]
    }
  }
}

/** A broker asks the coordinator before it denies a model, and remembers for a moment. */
const denialMs = limits.coordinatorCallMs + limits.unknownModelMs

/** Whether it was answered so that it is known to be done; a look is done by being refused. */
function isDone(entry: Entry): boolean {
  const { status = 0 } = answerOf(entry) ?? {}
  return status === 200 || status === 202 || (entry.asked.kind === 'look' && status === 404)
}

/** Whether it is not known that nothing was done. */
function mayBeDone(entry: Entry): boolean {
  const { outcome, asked } = entry
  if (isKnownUndone(entry)) return false
  if (asked.kind === 'look') return isDone(entry)
  // A fit that failed was allocated; other refusals come before anything is done.
  if (outcome.kind !== 'answered' || isDone(entry) || outcome.status >= 500) return true
  return asked.kind === 'fit' && outcome.status === 422 && outcome.word.startsWith('fit-')
}

type Around = {
  readonly entries: readonly Entry[]
  readonly fits: readonly Operation[]
  /** By now all that the log tells has happened. */
  readonly endMs: number
}

function promotionsOf(model: string, log: readonly LogSeen[], around: Around): Operation[] {
  const { entries, fits, endMs } = around
  const rollbackMs = firstTimes(entries, (entry) =>
    entry.asked.kind === 'rollback' ? [entry.asked.version, entry.sentMs] : undefined,
  )
  const seenMs = firstTimes(entries, (entry) => {
    const version = answerOf(entry)?.version ?? null
    return version !== null && servesNow(entry) ? [version, entry.doneMs] : undefined
  })
  const fitMs = firstTimes(fits, ({ act, callMs }) =>
    act.kind === 'allocate' && act.version !== null ? [act.version, callMs] : undefined,
  )
  const timesServed = Object.groupBy(log, ({ to }) => String(to))
  return log.flatMap(({ n, from, to, why }): Operation[] => {
    if (to === null || (why !== 'fit' && why !== 'rollback')) return []
    // Of a version that served twice it is not known which of the two was seen.
    const isOnce = timesServed[String(to)]?.length === 1
    const callMs = (why === 'fit' ? fitMs : rollbackMs).get(to) ?? 0
    const returnMs = isOnce ? (seenMs.get(to) ?? endMs) : endMs
    const act = { kind: 'promote', n, from, to, why } as const
    return [{ client: 'log', model, callMs, returnMs, act }]
  })
}

/** For each version the earliest time that is told of it. */
function firstTimes<T>(
  all: readonly T[],
  told: (each: T) => readonly [version: number, atMs: number] | undefined,
): ReadonlyMap<number, number> {
  const first = new Map<number, number>()
  for (const each of all) {
    const [version, atMs] = told(each) ?? []
    if (version === undefined || atMs === undefined) continue
    first.set(version, Math.min(atMs, first.get(version) ?? atMs))
  }
  return first
}

function servesNow({ asked, outcome }: Entry): boolean {
  if (outcome.kind !== 'answered' || outcome.status !== 200) return false
  if (asked.kind === 'forecast') return asked.version === null
  return asked.kind === 'look' || (asked.kind === 'fit' && outcome.word === 'serving')
}
