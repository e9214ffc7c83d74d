/** Sine and cosine pairs of one season: the harmonics 1 … pairs of a period in observations. */
export type FourierTerm = { readonly period: number; readonly pairs: number }

/** Columns that a term has: two for each pair, but a pair at half the period has no sine. */
export function fourierCount({ period, pairs }: FourierTerm): number {
  return 2 * pairs - (2 * pairs === period ? 1 : 0)
}

/** The most pairs that are distinct: beyond half the period each repeats one before. */
export function fourierPairsMax(period: number): number {
  return Math.floor(period / 2)
}

/** Names of the columns in their order: `sin1/12`, `cos1/12`, … for the period 12. */
export function fourierNames(terms: readonly FourierTerm[]): string[] {
  const names: string[] = []
  for (const { period, pairs } of terms) {
    for (let k = 1; k <= pairs; k++) {
      if (2 * k !== period) names.push(`sin${k}/${period}`)
      names.push(`cos${k}/${period}`)
    }
  }
  return names
}

/**
 * The columns of the steps `from` … `from + length - 1`, in the order of `fourierNames`. Each value
 * depends on its step alone, by an angle that is reduced to one turn before it meets a sine: later
 * steps lose no accuracy, and those of a forecast continue those of the fit to the last bit.
 */
export function fourierColumns(
  terms: readonly FourierTerm[],
  from: number,
  length: number,
): Float64Array[] {
  const columns: Float64Array[] = []
  for (const { period, pairs } of terms) {
    for (let k = 1; k <= pairs; k++) {
      const sine = new Float64Array(length)
      const cosine = new Float64Array(length)
      for (let i = 0; i < length; i++) {
        const angle = 2 * Math.PI * turnOf(from + i, k, period)
        sine[i] = Math.sin(angle)
        cosine[i] = Math.cos(angle)
      }
      if (2 * k !== period) columns.push(sine)
      columns.push(cosine)
    }
  }
  return columns
}

/** The part of a turn, in [0, 1), of harmonic k at a step; exact for periods in whole numbers. */
function turnOf(step: number, k: number, period: number): number {
  const within = step % period
  return ((within * k) % period) / period
}
