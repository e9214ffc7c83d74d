import { createHash } from 'node:crypto'
import { assert } from '../base/assert.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { Missing, Stalled, TooLarge, Unavailable } from '../base/errors.ts'
import { limits } from '../base/limits.ts'
import { within } from '../base/within.ts'
import { Slots } from '../store/slots.ts'
import type { Draft, FilesBackend } from './backend.ts'
import {
  type Files,
  type FilesBucket,
  type FilesPage,
  isFileName,
  type WrittenFile,
} from './port.ts'
import { readingOf } from './reading.ts'

/** What all backends have in common; each has a default in `limits`. */
export type FilesOptions = {
  readonly bytesMax?: number
  readonly callMs?: number
  readonly transferMs?: number
  /** How long content may say nothing. */
  readonly idleMs?: number
  readonly readerIdleMs?: number
  readonly transfersMax?: number
  readonly clock?: Pick<Clock, 'wallTime'>
  /** Told when garbage could not be removed. Must not throw. */
  readonly onEvent?: (name: string, fields: Readonly<Record<string, unknown>>) => void
}

/** The port over a backend: names, bounds and deadlines. */
export function filesOver(
  backend: FilesBackend,
  options: FilesOptions = {},
  bucket: FilesBucket | null = null,
): Files {
  const parts = partsOf(backend, options)
  const { closing, calls, transfers } = parts
  const sweeper = startSweeping(parts)
  return {
    bytesMax: parts.bytesMax,
    bucket,
    write: async (name, content, signal) => {
      checkName(name)
      return await inSlot(parts, transfers, signal, (own) => write(parts, name, content, own))
    },
    read: async (name, signal) => {
      checkName(name)
      return await read(parts, name, signal)
    },
    info: async (name, signal) => {
      checkName(name)
      return await inSlot(parts, calls, signal, (own) =>
        call(parts, `looking for ${name}`, own, (until) => backend.find(name, until)),
      )
    },
    list: async (asked, signal): Promise<FilesPage> => {
      assert(Number.isInteger(asked.limit) && asked.limit > 0, `a page of ${asked.limit} files`)
      const limit = Math.min(asked.limit, limits.pageItemsMax)
      const found = await inSlot(parts, calls, signal, (own) =>
        // One more than was asked for: whether there is a next page is known, not guessed.
        call(parts, 'a list', own, (until) => backend.list({ ...asked, count: limit + 1 }, until)),
      )
      const files = found.slice(0, limit)
      return { files, next: found.length > limit ? (files.at(-1)?.name ?? null) : null }
    },
    remove: async (name, signal) => {
      checkName(name)
      await inSlot(parts, calls, signal, (own) =>
        call(parts, `removing ${name}`, own, (until) => backend.remove(name, until)),
      )
    },
    close: async () => {
      clearInterval(sweeper)
      const closed = new Unavailable('files', 'closed')
      calls.refuse(closed)
      transfers.refuse(closed)
      closing.abort(closed)
      await backend.close()
    },
  }
}

type Parts = ReturnType<typeof partsOf>

function partsOf(backend: FilesBackend, options: FilesOptions) {
  const { fileCallsWaitingMax: waitingMax } = limits
  const calls = new Slots(limits.fileCallsMax, waitingMax, 'files')
  const transfersMax = options.transfersMax ?? limits.fileTransfersMax
  const transfers = new Slots(transfersMax, waitingMax, 'files')
  calls.open()
  transfers.open()
  return {
    backend,
    calls,
    transfers,
    closing: new AbortController(),
    bytesMax: options.bytesMax ?? limits.fileBytesMax,
    callMs: options.callMs ?? limits.fileCallMs,
    transferMs: options.transferMs ?? limits.fileTransferMs,
    idleMs: options.idleMs ?? limits.fileIdleMs,
    readerIdleMs: options.readerIdleMs ?? limits.fileReaderIdleMs,
    clock: options.clock ?? systemClock,
    onEvent: options.onEvent ?? (() => {}),
  }
}

function checkName(name: string): void {
  if (!isFileName(name))
    throw new RangeError(`not a file's name: ${JSON.stringify(name.slice(0, 200))}`)
}

/** Does the work when there is a place for it; its signal aborts with the port, too. */
async function inSlot<T>(
  parts: Pick<Parts, 'callMs' | 'closing'>,
  slots: Slots,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ticket = slots.enter()
  try {
    await within(ticket.entered, parts.callMs, () => noPlace(parts.callMs), signal)
    return await work(AbortSignal.any([signal, parts.closing.signal]))
  } finally {
    ticket.giveUp()
    ticket.leave()
  }
}

const noPlace = (waitedMs: number) =>
  new Unavailable('files', `too much is under way; nothing ended in ${waitedMs} ms`)

/** One call of the backend, which is aborted when its time is up. */
async function call<T>(
  { callMs }: Pick<Parts, 'callMs'>,
  what: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController()
  const late = () => {
    const error = new Unavailable('files', `${what} took over ${callMs} ms`)
    over.abort(error)
    return error
  }
  return await within(work(AbortSignal.any([signal, over.signal])), callMs, late, signal)
}

async function write(
  parts: Parts,
  name: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<WrittenFile> {
  const { backend, transferMs, callMs } = parts
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(tooLong), limits.fileWriteMs)
  const own = AbortSignal.any([signal, late.signal])
  const beginning = backend.begin(name)
  try {
    const draft = await within(beginning, callMs, lateWriting(name, callMs), own)
    const { sizeBytes, sha256 } = await fill(parts, name, draft, content, own)
    const etag = await within(draft.finish(), transferMs, lateWriting(name, transferMs), own)
    return { name, sizeBytes, etag, sha256 }
  } catch (error) {
    await discard(parts, name, beginning)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** Whoever gave up, and when, what has been written must go. */
async function discard(parts: Parts, name: string, beginning: Promise<Draft>): Promise<void> {
  const { callMs, onEvent } = parts
  const signal = AbortSignal.timeout(callMs)
  const going = beginning.then(
    (draft) => draft.discard(signal),
    // Then nothing was begun.
    () => {},
  )
  await within(going, callMs, lateWriting(name, callMs), signal).catch((error: Error) => {
    onEvent('file-garbage', { name, cause: error.message })
  })
}

const lateWriting = (name: string, timeoutMs: number) => () =>
  new Unavailable('files', `${name}: nothing was taken in ${timeoutMs} ms`)

const tooLong = new Stalled(`not finished in ${limits.fileWriteMs} ms`)

/** Appends what comes, as it comes: nothing is asked for before the backend has taken the last. */
async function fill(
  parts: Parts,
  name: string,
  draft: Draft,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<{ readonly sizeBytes: number; readonly sha256: string }> {
  const { bytesMax, idleMs, transferMs } = parts
  const whole = createHash('sha256')
  const late = () => new Stalled(`nothing came for ${idleMs} ms`)
  const iterator = content[Symbol.asyncIterator]()
  let sizeBytes = 0
  let isOver = false
  try {
    for (;;) {
      const { done, value } = await within(iterator.next(), idleMs, late, signal)
      isOver = done === true
      if (isOver) return { sizeBytes, sha256: whole.digest('hex') }
      sizeBytes += value.byteLength
      if (sizeBytes > bytesMax) throw new TooLarge(bytesMax)
      whole.update(value)
      await within(draft.append(value), transferMs, lateWriting(name, transferMs), signal)
    }
  } finally {
    // Not waited for: content that does not come does not hear of it before it does.
    if (!isOver) iterator.return?.()?.then(undefined, () => {})
  }
}

async function read(parts: Parts, name: string, signal: AbortSignal) {
  const { backend, transfers, callMs, closing } = parts
  const ticket = transfers.enter()
  const leave = () => {
    ticket.giveUp()
    ticket.leave()
  }
  try {
    await within(ticket.entered, callMs, () => noPlace(callMs), signal)
    const own = AbortSignal.any([signal, closing.signal])
    const opened = await call(parts, `opening ${name}`, own, async (until) => {
      const found = await backend.open(name, until)
      // Nobody waits for it any more.
      if (until.aborted) await found?.close()
      return found
    })
    if (opened === undefined) throw new Missing(`there is no file ${name}`)
    return { info: opened.info, content: readingOf(opened, parts, own, leave) }
  } catch (error) {
    leave()
    throw error
  }
}

/** At once and then every hour; a backend that is away is swept another time. */
function startSweeping({ backend, clock, closing, onEvent, callMs }: Parts): NodeJS.Timeout {
  const sweep = () => {
    const beforeMs = Date.parse(clock.wallTime()) - limits.garbageAgeMs
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(callMs)])
    backend.sweep(beforeMs, signal).catch((error: Error) => {
      if (!closing.signal.aborted) onEvent('files-not-swept', { cause: error.message })
    })
  }
  sweep()
  return setInterval(sweep, limits.garbageEveryMs).unref()
}
