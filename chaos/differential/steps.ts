/*
 * A history as plain data, which means the same on every coordinator: revisions, leases and watches
 * are named by the step that led to them, so that steps can be dropped and the rest still runs.
 */

export type History = readonly Step[]

export type Step = {
  readonly id: number
  /** Through which of a side's clients. */
  readonly client: number
  readonly act: Act
}

export type Act =
  | {
      readonly kind: 'transact'
      readonly when: readonly SymbolicComparison[]
      readonly then: readonly SymbolicOperation[]
    }
  | { readonly kind: 'get'; readonly key: string }
  | { readonly kind: 'list'; readonly prefix: string }
  | { readonly kind: 'grant'; readonly ttlMs: number }
  | { readonly kind: 'revoke'; readonly lease: number }
  /** Not awaited: its snapshot may be of any revision from now on, which is not compared. */
  | { readonly kind: 'watch'; readonly prefix: string; readonly awaited: boolean }
  /** Caught up: what it was told is compared in full. */
  | { readonly kind: 'stop'; readonly watch: number; readonly caughtUp: boolean }
  | { readonly kind: 'compact'; readonly at: SymbolicRevision }
  /** All leases are revoked, then the side is closed and opened again on the same data. */
  | { readonly kind: 'reopen' }

/** The revision that a step ended at, give or take; or a number as it is. */
export type SymbolicRevision =
  | { readonly after: number; readonly plus: number }
  | { readonly exactly: number }

export type SymbolicComparison =
  | { readonly kind: 'absent' | 'present'; readonly key: string }
  | {
      readonly kind: 'modified-at' | 'created-at'
      readonly key: string
      readonly revision: SymbolicRevision
    }

export type SymbolicOperation =
  | {
      readonly kind: 'put'
      readonly key: string
      readonly value: Text
      /** A granting step; or the id of a lease that nobody was granted. */
      readonly lease: number | string | null
    }
  | { readonly kind: 'delete'; readonly key: string }

/** Large values are told by their length, so that a history can be printed. */
export type Text = string | { readonly unit: string; readonly times: number }

export const textOf = (text: Text): string =>
  typeof text === 'string' ? text : text.unit.repeat(text.times)
