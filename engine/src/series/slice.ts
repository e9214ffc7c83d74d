import type { Series } from '../family.ts'

/**
 * The observations from `from` up to, not including, `to`, as views of the same numbers. A slice
 * that does not begin where the series does has no calendar: it continues another one.
 */
export function sliceSeries(series: Series, from: number, to: number): Series {
  const { x, calendar, ...rest } = series
  const columns = Object.entries(x ?? {}).map(([name, column]) => [name, column.subarray(from, to)])
  return {
    ...rest,
    y: series.y.subarray(from, to),
    ...(x === undefined ? {} : { x: Object.fromEntries(columns) as Series['x'] & object }),
    ...(calendar === undefined || from > 0 ? {} : { calendar }),
  }
}
