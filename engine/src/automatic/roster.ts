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

/** The spec of a member for a series with some seasons, as its family parses it. */
export function memberSpec(
  name: MemberName,
  seasons: readonly number[],
): Readonly<Record<string, unknown>> {
  const longest = seasons.at(-1) ?? 1
  switch (name) {
    case 'ets':
      return { family: 'ets' }
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
      return { family: 'arima', select: true, fourier: 2, seasonLength: longest }
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
