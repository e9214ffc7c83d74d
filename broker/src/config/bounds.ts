import { limits } from '@almanac/shared'

/** The bounds that a broker works under: those of `limits`, some of them shorter in tests. */
export type Bounds = { readonly [K in keyof typeof limits]: number }

export const boundsOf = (changed: Partial<Bounds> = {}): Bounds =>
  Object.freeze({ ...limits, ...changed })
