import type { Profile } from './profile.ts'
import { shortMax } from './profile.ts'
import type { MemberName } from './roster.ts'
import type { AutomaticSpec } from './spec.ts'

/** Which members are tried on a series, and why those. */
export type Rung = {
  readonly name: RungName
  readonly members: readonly MemberName[]
  /** Tried one after the other when none of the members can be fitted. */
  readonly reserves: readonly MemberName[]
  /** A clause for people, beginning with a small letter. */
  readonly why: string
}

export const rungNames = [
  'asked',
  'constant',
  'few',
  'short',
  'intermittent',
  'long-season',
  'plain',
] as const
export type RungName = (typeof rungNames)[number]

/** The first rung that a series stands on; there is one for every series with an observation. */
export function rungOf(profile: Profile, spec: AutomaticSpec): Rung {
  const { observed, constant, intermittent, seasons, zeroShare } = profile
  const longest = seasons.at(-1) ?? 1
  const reserves: readonly MemberName[] =
    longest > 1 ? ['seasonal-naive', 'naive'] : ['drift', 'naive']
  if (spec.members !== null) {
    return { name: 'asked', members: spec.members, reserves, why: 'these members were asked for' }
  }
  if (constant !== undefined) {
    const why = constant === 0 ? 'every value is zero' : 'every value is the same'
    return { name: 'constant', members: ['naive'], reserves, why }
  }
  if (observed < fewMax) {
    const why = `${observed} observations show no more than where the series stands`
    return { name: 'few', members: ['naive'], reserves, why }
  }
  if (intermittent) {
    const share = Math.round(100 * zeroShare)
    const why = `${share}% of the values since the first demand are zero`
    return { name: 'intermittent', members: ['croston-sba', 'tsb'], reserves: ['mean'], why }
  }
  if (observed <= shortMax) {
    const why = `${observed} observations bear a level and a trend that fades, no more`
    return { name: 'short', members: ['damped-ets', 'theta'], reserves, why }
  }
  if (seasons.length > 1 || longest > longSeason) {
    const why =
      seasons.length > 1
        ? `there are several seasons (${seasons.join(', ')})`
        : `a season of ${longest} is too long for one state each`
    return { name: 'long-season', members: longMembers, reserves, why }
  }
  const season = longest > 1 ? `a season of ${longest}` : 'no season'
  const why = `${observed} observations with ${season} suit all four general methods`
  return { name: 'plain', members: ['ets', 'ces', 'arima', 'theta'], reserves, why }
}

const fewMax = 4
const longSeason = 24
const longMembers = ['mstl-ets', 'fourier-arima', 'additive', 'seasonal-naive'] as const
