import type { Outcome } from '../family.ts'
import { limits } from '../limits.ts'
import { refused } from '../outcome.ts'
import { listOf, oneOf, parseFields, wholeNumber } from '../spec-fields.ts'
import { type MemberName, memberNames } from './roster.ts'

/** A model that is made of several, each fitted and judged on the series. A spec is plain JSON. */
export type AutomaticSpec = {
  readonly family: 'automatic'
  /**
   * Season lengths, ascending; null takes those of the series, and without those looks for them.
   */
  readonly seasons: readonly number[] | null
  /** Who takes part, whatever the series is like; null leaves that to the series. */
  readonly members: readonly MemberName[] | null
  /** Intervals scaled by what rolling origins show, or by what is usual for such a series. */
  readonly intervals: 'conformal' | 'parametric'
}

export const automaticDefaults: AutomaticSpec = {
  family: 'automatic',
  seasons: null,
  members: null,
  intervals: 'conformal',
}

/** Checks a user's spec and fills in what it leaves out. */
export function parseAutomaticSpec(
  spec: Readonly<Record<string, unknown>>,
): Outcome<AutomaticSpec> {
  const parsed = parseFields('automatic', fields, spec)
  if (parsed.kind === 'refused') return parsed
  const { seasons, members } = parsed.value
  if (seasons?.some((length, i) => i > 0 && length <= seasons[i - 1]!)) {
    const detail = 'Season lengths have to ascend.'
    return refused({ code: 'out-of-range', detail, field: '/seasons' })
  }
  if (members !== null && (members.length === 0 || new Set(members).size < members.length)) {
    const detail = 'members have to be at least one name, each once.'
    return refused({ code: 'out-of-range', detail, field: '/members' })
  }
  return parsed
}

const fields = {
  seasons: listOf(wholeNumber(2, limits.seasonLengthMax, 2), limits.seasonsMax, null),
  members: listOf(oneOf(memberNames, 'naive'), memberNames.length, null),
  intervals: oneOf(['conformal', 'parametric'], automaticDefaults.intervals),
}
