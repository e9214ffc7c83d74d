import { Worker } from 'node:worker_threads'
import { assert } from '../../base/assert.ts'
import { Damaged, Unavailable } from '../../base/errors.ts'
import type { Change } from '../port.ts'
import { keyOf, revisionOf } from './key-space.ts'

/** Where revisions are made durable. One writer; calls are answered in order. */
export interface Journal {
  readonly opened: Opened
  /** Resolves when all of the changes, or none (then it rejects), survive any crash. */
  append(changes: readonly Change[]): Promise<void>
  /** Drops what was superseded up to `revision`. */
  compact(revision: number): Promise<void>
  close(): Promise<void>
}

type Opened = {
  readonly clusterId: string
  readonly revision: number
  readonly compactedRevision: number
  /** In revision order; older ones may be missing when they were superseded. */
  readonly changes: readonly Change[]
}

/** One change as a row of the history table. */
export type Row = {
  readonly revision: number
  /** Its place among the changes of the revision. */
  readonly position: number
  readonly key: string
  /** null: the key was deleted. */
  readonly value: string | null
  readonly created: number
  readonly lease: string | null
}

export type Request =
  | { readonly kind: 'append'; readonly rows: readonly Row[] }
  | { readonly kind: 'compact'; readonly revision: number }
  | { readonly kind: 'close' }

export type Answer =
  | { readonly kind: 'opened'; readonly clusterId: string; readonly compactedRevision: number }
  | { readonly kind: 'rows'; readonly rows: readonly Row[] }
  | { readonly kind: 'ready' }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly why: Failure; readonly message: string }

export type Failure = 'in-use' | 'damaged' | 'newer-format' | 'other'

/** Another process has the data folder open: only one may. */
export class InUse extends Error {
  override name = 'InUse'
}

/** A journal that forgets: for tests and throw-away runs. */
export function memoryJournal(clusterId: string): Journal {
  return {
    opened: { clusterId, revision: 1, compactedRevision: 0, changes: [] },
    append: async () => {},
    compact: async () => {},
    close: async () => {},
  }
}

/**
 * A journal in an SQLite file, behind a thread of its own, since `node:sqlite` blocks while the
 * disk syncs. Rejects with `InUse`, `Damaged` or an error that names the path.
 */
export async function fileJournal(path: string, newClusterId: string): Promise<Journal> {
  const link = startWorker(path, newClusterId)
  const changes: Change[] = []
  let opened = { clusterId: '', compactedRevision: 0 }
  for (let answer = await link.next(); answer.kind !== 'ready'; answer = await link.next()) {
    if (answer.kind === 'failed') throw openingError(path, answer.why, answer.message)
    if (answer.kind === 'opened') opened = answer
    if (answer.kind === 'rows') changes.push(...answer.rows.map(toChange))
  }
  const last = changes.at(-1)
  const revision = Math.max(1, opened.compactedRevision, last ? revisionOf(last) : 0)
  return {
    opened: { ...opened, revision, changes },
    append: (next) => link.ask({ kind: 'append', rows: toRows(next) }),
    compact: (upTo) => link.ask({ kind: 'compact', revision: upTo }),
    close: () => link.end(),
  }
}

/** Messages of the worker as a queue of answers: it answers each request once, in order. */
function startWorker(path: string, newClusterId: string) {
  const worker = new Worker(new URL('./journal-worker.ts', import.meta.url), {
    workerData: { path, newClusterId },
    // The thread needs none of the flags that the process was started with.
    execArgv: [],
  })
  const answers: Answer[] = []
  const waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = []
  let gone: Error | undefined

  worker.on('message', (answer: Answer) => {
    const first = waiting.shift()
    if (waiting.length === 0) worker.unref()
    if (first) first.resolve(answer)
    else answers.push(answer)
  })
  const fail = (error: Error) => {
    gone ??= error
    for (const { reject } of waiting.splice(0)) reject(gone)
  }
  worker.on('error', (cause) => fail(unavailable('its storage thread has failed', cause)))
  const exited = new Promise<void>((resolve) => {
    worker.on('exit', () => {
      fail(unavailable('its storage thread has ended'))
      resolve()
    })
  })

  function next(): Promise<Answer> {
    const early = answers.shift()
    if (early) return Promise.resolve(early)
    if (gone) return Promise.reject(gone)
    // A commit under way keeps the process alive, an idle thread does not.
    worker.ref()
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
  }
  async function ask(request: Request): Promise<void> {
    if (gone) throw gone
    worker.postMessage(request)
    const answer = await next()
    if (answer.kind === 'failed') throw unavailable(answer.message)
    assert(answer.kind === 'done', `the storage thread answered ${answer.kind}`)
  }
  return {
    next,
    ask,
    async end() {
      if (gone === undefined) worker.postMessage({ kind: 'close' } satisfies Request)
      worker.ref()
      await exited
    },
  }
}

function openingError(path: string, why: Failure, message: string): Error {
  switch (why) {
    case 'in-use':
      return new InUse(
        `${path} is in use by another process. Stop that process, or choose another data folder.`,
      )
    case 'damaged':
      return new Damaged(`${path} is not a readable database: ${message}`)
    case 'newer-format':
      return new Error(`${path} was written by a newer release: ${message}`)
    default:
      return new Error(`${path} cannot be opened: ${message}`)
  }
}

const unavailable = (message: string, cause?: unknown) =>
  new Unavailable('coordinator', `the embedded coordinator: ${message}`, { cause })

function toRows(changes: readonly Change[]): Row[] {
  let position = 0
  let before = 0
  return changes.map((change) => {
    const revision = revisionOf(change)
    position = revision === before ? position + 1 : 0
    before = revision
    const key = keyOf(change)
    if (change.kind === 'delete') {
      return { revision, position, key, value: null, created: 0, lease: null }
    }
    const { value, createRevision: created, lease } = change.entry
    return { revision, position, key, value, created, lease }
  })
}

function toChange(row: Row): Change {
  const { key, value, lease, revision: modRevision, created: createRevision } = row
  if (value === null) return { kind: 'delete', key, modRevision }
  return { kind: 'put', entry: { key, value, createRevision, modRevision, lease } }
}
