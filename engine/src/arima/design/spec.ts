import { limits } from '../../limits.ts'
import { type FourierTerm, fourierCount, fourierPairsMax } from '../../series/fourier.ts'
import type { Field } from '../../spec-fields.ts'

/** A Box-Cox λ in [-1, 2], `auto` for one chosen in [0, 1], null for no transform. */
export type BoxCoxWish = number | 'auto' | null

export const boxCoxField: Field<BoxCoxWish> = (value, name) => {
  if (value === undefined || value === null) return { value: null }
  if (value === 'auto') return { value }
  if (typeof value === 'number' && value >= -1 && value <= 2) return { value: value + 0 }
  const code = typeof value === 'number' ? 'out-of-range' : 'wrong-type'
  const detail = `${name} has to be a number from -1 to 2, "auto" or null.`
  return { fault: { code, detail, field: `/${name}` } }
}

/** One term of the list: an object of a period and a number of pairs. */
export const fourierField: Field<FourierTerm> = (value, name) => {
  const fault = (code: string, detail: string) => ({
    fault: { code, detail: `${name} ${detail}`, field: `/${name}` },
  })
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fault('wrong-type', 'has to be an object of a period and pairs.')
  }
  const { period, pairs, ...others } = value as Record<string, unknown>
  const stranger = Object.keys(others)[0]
  if (stranger !== undefined) return fault('unknown-field', 'has no fields but period and pairs.')
  if (typeof period !== 'number' || !(period >= 2 && period <= limits.seasonLengthMax)) {
    return fault('out-of-range', `needs a period from 2 to ${limits.seasonLengthMax}.`)
  }
  const most = fourierPairsMax(period)
  if (typeof pairs !== 'number' || !Number.isInteger(pairs) || pairs < 1 || pairs > most) {
    return fault('out-of-range', `needs a whole number of pairs from 1 to ${most}.`)
  }
  return { value: { period, pairs } }
}

/** Terms of different periods, with no more columns than a series may have regressors. */
export function fourierList(list: Field<readonly FourierTerm[]>): Field<readonly FourierTerm[]> {
  return (value, name) => {
    const outcome = list(value, name)
    if ('fault' in outcome) return outcome
    const terms = outcome.value
    const columns = terms.reduce((sum, term) => sum + fourierCount(term), 0)
    const distinct = new Set(terms.map(({ period }) => period)).size === terms.length
    if (distinct && columns <= limits.regressorsMax) return outcome
    const detail = distinct
      ? `${name} makes ${columns} columns; at most ${limits.regressorsMax} are taken.`
      : `${name} names a period twice.`
    return { fault: { code: 'out-of-range', detail, field: `/${name}` } }
  }
}
