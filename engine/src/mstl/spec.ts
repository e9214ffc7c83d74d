import type { Family, Outcome, Series } from '../family.ts'
import { limits } from '../limits.ts'
import { type MemberModel, type MemberSpec, members } from '../members.ts'
import { assert } from '../outcome.ts'
import { type Field, flag, listOf, oneOf, parseFields, wholeNumber } from '../spec-fields.ts'

/**
 * The seasons are taken out by MSTL, and another family forecasts what is left: Bandara, Hyndman
 * and Bergmeir (2021), arXiv:2107.13462. A spec is plain JSON.
 */
export type MstlSpec = {
  readonly family: 'mstl'
  /** Season lengths, ascending; null takes those of the series. */
  readonly seasons: readonly number[] | null
  /**
   * Whether outliers lose their weight in the decomposition. Null does so for a season over 24, and
   * for several: in a short one of few cycles a pattern that grows would count as outliers.
   */
  readonly robust: boolean | null
  /** `log` takes the logarithm first, so that seasons and trend multiply; values are positive. */
  readonly boxCox: 'log' | null
  /** What forecasts the series without its seasons. */
  readonly member: MemberSpec
}

/** Checks a user's spec and fills in what it leaves out. */
export function parseMstlSpec(spec: Readonly<Record<string, unknown>>): Outcome<MstlSpec> {
  return parseFields('mstl', fields, spec)
}

/** The seasons that a spec means for a series. */
export function seasonsOf(spec: MstlSpec, series: Series): readonly number[] {
  return spec.seasons ?? series.seasons ?? []
}

/** Whether a decomposition into some seasons is robust. */
export function isRobust({ robust }: MstlSpec, seasons: readonly number[]): boolean {
  return robust ?? (seasons.length > 1 || (seasons[0] ?? 0) > 24)
}

/** The family of a member's spec or model. */
export function memberFamily(owner: { readonly family: string }): Family<MemberSpec, MemberModel> {
  const family = findMember(owner.family)
  assert(family !== undefined, 'a parsed member comes from a known family')
  return family
}

export function findMember(name: unknown): Family<MemberSpec, MemberModel> | undefined {
  return members.find((family) => family.name === name)
}

/** All of a spec but its member. */
export type OwnSpec = Omit<MstlSpec, 'member'>

export function ownSpec({ family, seasons, robust, boxCox }: MstlSpec): OwnSpec {
  return { family, seasons, robust, boxCox }
}

export function parseOwnSpec(spec: Readonly<Record<string, unknown>>): Outcome<OwnSpec> {
  return parseFields('mstl', ownFields, spec)
}

const ownFields = {
  seasons: ascending(listOf(wholeNumber(2, limits.seasonLengthMax, 2), limits.seasonsMax, null)),
  robust: flag(null),
  boxCox: oneOf(['log'], null),
}

const fields = { ...ownFields, member }

function ascending<D>(field: Field<readonly number[] | D>): Field<readonly number[] | D> {
  return (value, name) => {
    const outcome = field(value, name)
    if ('fault' in outcome || !Array.isArray(outcome.value)) return outcome
    const lengths: readonly number[] = outcome.value
    if (lengths.every((length, i) => i === 0 || length > lengths[i - 1]!)) return outcome
    const detail = `${name} has to ascend.`
    return { fault: { code: 'out-of-range', detail, field: `/${name}` } }
  }
}

/**
 * With additive errors: a series without its seasons may go below zero where the series itself
 * never does, and an update has to take whatever comes.
 */
const defaultMember = { family: 'ets', error: 'A', season: 'N' }

function member(value: unknown, name: string): ReturnType<Field<MemberSpec>> {
  const given = value ?? defaultMember
  const known = members.map((family) => family.name).join(', ')
  if (typeof given !== 'object' || Array.isArray(given)) {
    const detail = `${name} has to be a spec of one of: ${known}.`
    return { fault: { code: 'wrong-type', detail, field: `/${name}` } }
  }
  const spec = given as Record<string, unknown>
  const family = findMember(spec.family)
  if (family === undefined) {
    const detail = `${name} has to be of one of the families ${known}.`
    return { fault: { code: 'unknown-family', detail, field: `/${name}/family` } }
  }
  const parsed = family.parse(spec)
  if (parsed.kind !== 'refused') return withoutRegressors(parsed.value, name)
  return { fault: { ...parsed.reason, field: `/${name}${parsed.reason.field ?? ''}` } }
}

/** A decomposed series has no columns that its member could look at. */
function withoutRegressors(spec: MemberSpec, name: string): ReturnType<Field<MemberSpec>> {
  if (!('regressors' in spec) || spec.regressors.length === 0) return { value: spec }
  const detail = 'The member of a decomposition takes no regressors.'
  return { fault: { code: 'no-regressors', detail, field: `/${name}/regressors` } }
}
