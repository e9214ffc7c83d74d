import type { Outcome, Run, Series } from '../family.ts'
import { fillSeasonally } from '../series/gaps.ts'
import type { Part, PartModel } from './parts.ts'
import type { MemberName } from './roster.ts'

/**
 * A member fitted to a series of which values may be missing. ARIMA's search costs ten times as
 * much with gaps as without, so on a long series its orders and parameters are those of the series
 * with its gaps filled; the model then goes through the series as it is, gaps and all.
 */
export function fitThroughGaps(
  part: Part,
  name: MemberName,
  spec: Parameters<Part['fit']>[1],
  series: Series,
  seasons: readonly number[],
  run: Run,
): Outcome<PartModel> {
  const { y } = series
  const slow = name === 'arima' || name === 'fourier-arima'
  if (!slow || y.length <= shortMax || !y.some(Number.isNaN)) return part.fit(series, spec, run)
  let end = y.length
  while (end > 0 && Number.isNaN(y[end - 1]!)) end--
  const filled = { ...series, y: fillSeasonally(y.subarray(0, end), seasons).y }
  const fitted = part.fit(filled, spec, run)
  if (fitted.kind === 'refused') return fitted
  const filtered = part.filter(fitted.value, series)
  return filtered.kind === 'refused' ? filtered : { ...fitted, value: filtered.value }
}

/** Up to this length the exact search with gaps takes a fraction of a second. */
const shortMax = 200
