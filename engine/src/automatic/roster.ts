/** The members that a combination knows, by the name that people read. */
export const memberNames = [
  'ets',
  'damped-ets',
  'ces',
  'arima',
  'theta',
  'mstl-ets',
  'fourier-arima',
  'additive',
  'croston-sba',
  'tsb',
  'naive',
  'seasonal-naive',
  'drift',
  'mean',
] as const
export type MemberName = (typeof memberNames)[number]

/** The spec of a member for a series of some length and seasons, as its family parses it. */
export function memberSpec(
  name: MemberName,
  seasons: readonly number[],
  observed: number,
): Readonly<Record<string, unknown>> {
  switch (name) {
    case 'ets':
      // Trends and seasons that seem to change fast in a few observations seldom go on so.
      return { family: 'ets', prior: 'steady' }
    case 'damped-ets':
      return { family: 'ets', trend: 'A', damped: true, season: 'N' }
    case 'ces':
      return { family: 'ces' }
    case 'arima':
      return { family: 'arima', select: true }
    case 'theta':
      return { family: 'theta' }
    case 'mstl-ets':
      return { family: 'mstl' }
    case 'fourier-arima':
      return { ...fourierOrders(observed), seasonLength: 1, fourier: seasons.map(fourierTerm) }
    case 'additive':
      return { family: 'additive' }
    case 'croston-sba':
      return { family: 'croston', method: 'sba' }
    case 'tsb':
      return { family: 'tsb' }
    default:
      return { family: 'baseline', method: name }
  }
}

/**
 * The orders of a long series are not searched for: a search would cost a second, and the error of
 * a first difference whose shocks fade fits wandering levels and, near its bound, steady ones.
 */
function fourierOrders(observed: number) {
  if (observed <= searchedMax) return { family: 'arima', select: true }
  return { family: 'arima', p: 1, d: 1, q: 2 }
}

const searchedMax = 500

/** A few smooth waves for a long season; short ones may take any shape. */
function fourierTerm(period: number): { readonly period: number; readonly pairs: number } {
  return { period, pairs: Math.min(Math.floor(period / 2), period < 300 ? 5 : 3) }
}
