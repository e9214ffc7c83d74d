import type { Operation } from '../linearizability/history.ts'
import { answerOf, type Entry } from './entry.ts'
import type { LogSeen, Records } from './records.ts'

/** What was done to the models, and seen of them, in the words of the checker. */
export function operationsOf(entries: readonly Entry[], records: Records): Operation[] {
  const fits = fitsOf(entries)
  const rest = entries.flatMap(operationsOfEntry)
  const promotions = [...records.logs].flatMap(([model, log]) =>
    promotionsOf(
      model,
      log,
      entries.filter(({ asked }) => asked.model === model),
    ),
  )
  return [...fits, ...rest, ...promotions].sort((a, b) => a.callMs - b.callMs)
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
        ? [of({ kind: 'serves', broker, version: answer.version, held: false })]
        : []
    case 'rollback': {
      const { version } = asked
      const served = of({ kind: 'serves', broker, version, held: true })
      return [of({ kind: 'rollback', version }), ...(answer?.status === 200 ? [served] : [])]
    }
    case 'release':
      return [of({ kind: 'release' })]
    case 'delete':
      return [of({ kind: 'delete', lastVersion: answer?.version ?? null })]
    case 'look': {
      if (answer?.status === 404) return [of({ kind: 'look', broker, found: null })]
      const { version: serving = null, changes = null } = answer ?? {}
      return changes === null ? [] : [of({ kind: 'look', broker, found: { serving, changes } })]
    }
  }
}

/** Whether it was answered so that it is known to be done; a look is done by being refused. */
function isDone(entry: Entry): boolean {
  const { status = 0 } = answerOf(entry) ?? {}
  return status === 200 || status === 202 || (entry.asked.kind === 'look' && status === 404)
}

/** Whether it is not known that nothing was done. */
function mayBeDone(entry: Entry): boolean {
  const { outcome, asked } = entry
  if (outcome.kind === 'unreached') return false
  if (asked.kind === 'look') return isDone(entry)
  // A fit that failed was allocated; other refusals come before anything is done.
  if (outcome.kind !== 'answered' || isDone(entry) || outcome.status >= 500) return true
  return asked.kind === 'fit' && outcome.status === 422 && outcome.word.startsWith('fit-')
}

function promotionsOf(model: string, log: readonly LogSeen[], entries: readonly Entry[]) {
  const askedMs = new Map<string, number>()
  const seenMs = new Map<number, number>()
  for (const entry of entries) {
    const version = answerOf(entry)?.version ?? null
    const name =
      entry.asked.kind === 'rollback' ? `rollback ${entry.asked.version}` : `fit ${version}`
    askedMs.set(name, Math.min(entry.sentMs, askedMs.get(name) ?? Number.POSITIVE_INFINITY))
    if (version !== null && servesNow(entry))
      seenMs.set(version, Math.min(entry.doneMs, seenMs.get(version) ?? Number.POSITIVE_INFINITY))
  }
  const timesServed = Object.groupBy(log, ({ to }) => String(to))
  return log.flatMap(({ n, from, to, why }): Operation[] => {
    if (to === null || (why !== 'fit' && why !== 'rollback')) return []
    // Of a version that served twice it is not known which of the two was seen.
    const isOnce = timesServed[String(to)]?.length === 1
    return [
      {
        client: 'log',
        model,
        callMs: askedMs.get(`${why} ${to}`) ?? 0,
        returnMs: isOnce ? (seenMs.get(to) ?? null) : null,
        act: { kind: 'promote', n, from, to, why },
      },
    ]
  })
}

function servesNow({ asked, outcome }: Entry): boolean {
  if (outcome.kind !== 'answered' || outcome.status !== 200) return false
  if (asked.kind === 'forecast') return asked.version === null
  return asked.kind === 'look' || (asked.kind === 'fit' && outcome.word === 'serving')
}
