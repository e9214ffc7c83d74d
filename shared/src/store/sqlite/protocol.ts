import { Bug } from '../../base/assert.ts'
import { Damaged, Missing, Unavailable } from '../../base/errors.ts'
import { NewerSchema } from '../schema.ts'
import type { Operations } from './operations.ts'

/** What the process sends to its worker: calls, one at a time, and at last that it may go. */
export type WorkerRequest = WorkerCall | 'close'

type WorkerCall = {
  readonly id: number
  readonly name: keyof Operations
  readonly args: readonly unknown[]
}

/** What the worker says: that it is open, what a call came to, or what is wrong. */
export type WorkerReply =
  | { readonly kind: 'open' }
  | { readonly kind: 'refused'; readonly fault: Fault }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly fault: Fault }

/** An error in a form that crosses threads without losing its class. */
export type Fault = {
  readonly kind: 'bug' | 'damaged' | 'missing' | 'newer' | 'unavailable'
  readonly message: string
}

export function faultOf(error: unknown): Fault {
  const message = error instanceof Error ? error.message : String(error)
  return { kind: kindOf(error), message }
}

export function errorOf(fault: Fault): Error {
  switch (fault.kind) {
    case 'bug':
      return new Bug(fault.message)
    case 'damaged':
      return new Damaged(fault.message)
    case 'missing':
      return new Missing(fault.message)
    case 'newer':
      return new NewerSchema(fault.message)
    case 'unavailable':
      return new Unavailable('store', fault.message)
  }
}

/**
 * SQLite's primary result codes (sqlite.org/rescode.html); all others are trouble that may pass.
 */
const damagedCodes = new Set([11, 26])
const bugCodes = new Set([1, 19, 20, 21, 25])

function kindOf(error: unknown): Fault['kind'] {
  if (error instanceof Damaged) return 'damaged'
  if (error instanceof Missing) return 'missing'
  if (error instanceof NewerSchema) return 'newer'
  const code = (error as { errcode?: unknown }).errcode
  if (typeof code !== 'number') return 'bug'
  const primary = code & 0xff
  if (damagedCodes.has(primary)) return 'damaged'
  return bugCodes.has(primary) ? 'bug' : 'unavailable'
}
