import type { Form } from '../../src/ets/form.ts'
import { type EtsSpec, etsDefaults } from '../../src/ets/spec.ts'
import { makeRandom } from '../random.ts'

/** Every stable form, as in MAdM. */
export const formNames = ['N', 'A', 'M'].flatMap((season) =>
  ['N', 'A', 'Ad'].flatMap((trend) =>
    ['A', 'M']
      .filter((error) => error === 'M' || season !== 'M')
      .map((error) => `${error}${trend}${season}`),
  ),
)

export function formOf(name: string, seasonLength: number): Form {
  const [, error, trend, season] = /^(.)(\w+)(.)$/.exec(name)!
  return {
    error: error as 'A' | 'M',
    trend: trend === 'N' ? 'N' : 'A',
    damped: trend === 'Ad',
    season: season as 'N' | 'A' | 'M',
    seasonLength: season === 'N' ? 1 : seasonLength,
  }
}

/** The spec that admits only one form. */
export function etsSpecOf(name: string, fields: Partial<EtsSpec> = {}): EtsSpec {
  const { error, trend, damped, season } = formOf(name, 2)
  return { ...etsDefaults, error, trend, damped: trend === 'N' ? null : damped, season, ...fields }
}

/** A series above zero with a level that wanders, a trend and a season. */
export function makeSeries(seed: number, length: number, season: number): Float64Array {
  const random = makeRandom(seed)
  let level = 100
  return Float64Array.from({ length }, (_, t) => {
    level = Math.max(40, level + 0.4 + 2 * random.normal())
    const wave = season > 1 ? 1 + 0.25 * Math.sin((2 * Math.PI * t) / season) : 1
    return level * wave * (1 + 0.03 * random.normal())
  })
}
