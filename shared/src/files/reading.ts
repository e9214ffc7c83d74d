import { Damaged, Stalled, Unavailable } from '../base/errors.ts'
import { within } from '../base/within.ts'
import type { Opened } from './backend.ts'

export type ReadingTimes = {
  /** For one look at the backend. */
  readonly transferMs: number
  /** For the reader, between two looks. */
  readonly readerIdleMs: number
}

/**
 * The content of an open file. No generator: one that was never begun would not be told that it is
 * over. `onEnd` is called once, however it ends.
 */
export function readingOf(
  opened: Opened,
  times: ReadingTimes,
  signal: AbortSignal,
  onEnd: () => void,
): AsyncIterableIterator<Uint8Array> {
  const { sizeBytes, name } = opened.info
  let leftBytes = sizeBytes
  let failure: unknown
  let isOver = false
  const end = async () => {
    if (isOver) return
    isOver = true
    clearTimeout(idle)
    signal.removeEventListener('abort', abort)
    onEnd()
    await opened.close()
  }
  const fail = (error: unknown) => {
    failure ??= error
    end().catch(() => {})
  }
  const abort = () => fail(signal.reason)
  const isIdle = () => fail(new Stalled(`${name} was not read for ${times.readerIdleMs} ms`))
  const idle = setTimeout(isIdle, times.readerIdleMs)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()

  const take = async () => {
    const late = () => new Unavailable('files', `${name}: no bytes in ${times.transferMs} ms`)
    const bytes = await within(opened.read(), times.transferMs, late, signal)
    leftBytes -= bytes?.byteLength ?? 0
    if (leftBytes < 0 || (bytes === undefined && leftBytes > 0))
      throw new Damaged(`${name} is not of ${sizeBytes} bytes: it changed while it was read`)
    return bytes
  }
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next: async () => {
      if (failure !== undefined) throw failure
      if (isOver) return { done: true, value: undefined }
      idle.refresh()
      try {
        const bytes = await take()
        if (bytes !== undefined) return { done: false, value: bytes }
      } catch (error) {
        fail(error)
        throw failure
      }
      await end()
      return { done: true, value: undefined }
    },
    return: async () => {
      await end()
      return { done: true, value: undefined }
    },
  }
}
