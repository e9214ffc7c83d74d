import { Bug } from '@almanac/shared'

/** Used again each time: growing a new one costs more memory than the text. */
const list: number[] = []

/** Every `width`-th number from `first` on, as JSON without brackets. */
export function numbersText(
  values: Float64Array,
  rows: { readonly from: number; readonly to: number },
  width = 1,
  first = 0,
): string {
  // A list of numbers is written by JSON.stringify in a third of the time that String takes.
  const count = rows.to - rows.from
  if (list.length > count) list.length = count
  for (let i = 0; i < count; i++) {
    const row = rows.from + i
    const value = values[row * width + first]!
    if (!Number.isFinite(value)) throw new Bug(`step ${row + 1} of the forecast is not finite`)
    list[i] = value
  }
  return JSON.stringify(list).slice(1, -1)
}
