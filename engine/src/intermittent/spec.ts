import type { Outcome } from '../family.ts'
import { refused } from '../outcome.ts'
import { oneOf, parseFields, realNumber } from '../spec-fields.ts'

/**
 * Croston (1972), Operational Research Quarterly 23, 289-303: the sizes of demands and the
 * intervals between them are smoothed apart. The rate of `sba` is freed of its bias as Syntetos and
 * Boylan (2005) do, `sbj` as Shale, Boylan and Johnston (2006). A spec is plain JSON.
 */
export type CrostonSpec = {
  readonly family: 'croston'
  /** `optimised` chooses both smoothing parameters, and has the rate of `classic`. */
  readonly method: 'classic' | 'sba' | 'sbj' | 'optimised'
  /** Weight of the newest demand and interval; null is 0.1, or chosen. */
  readonly smoothing: number | null
}

/**
 * Teunter, Syntetos and Babai (2011), European Journal of Operational Research 214, 606-615: the
 * probability of a demand is updated in every step, so that it fades when demands cease.
 */
export type TsbSpec = {
  readonly family: 'tsb'
  /** Weight of the newest demand; null is chosen. */
  readonly demandSmoothing: number | null
  /** Weight of the newest step in the probability of a demand; null is chosen. */
  readonly probabilitySmoothing: number | null
}

export type DemandSpec = CrostonSpec | TsbSpec

export function parseCrostonSpec(spec: Readonly<Record<string, unknown>>): Outcome<CrostonSpec> {
  const parsed = parseFields('croston', crostonFields, spec)
  if (parsed.kind === 'refused') return parsed
  if (parsed.value.method !== 'optimised' || parsed.value.smoothing === null) return parsed
  return refused({
    code: 'conflict',
    detail: 'The method optimised chooses its smoothing.',
    field: '/smoothing',
    remedy: 'Leave smoothing out, or choose another method.',
  })
}

export function parseTsbSpec(spec: Readonly<Record<string, unknown>>): Outcome<TsbSpec> {
  return parseFields('tsb', tsbFields, spec)
}

const crostonFields = {
  method: oneOf(['classic', 'sba', 'sbj', 'optimised'], 'sba'),
  smoothing: realNumber(0, 1, null),
}

const tsbFields = {
  demandSmoothing: realNumber(0, 1, null),
  probabilitySmoothing: realNumber(0, 1, null),
}
