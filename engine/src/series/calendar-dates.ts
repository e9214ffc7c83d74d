/** A date of the proleptic Gregorian calendar; months and days count from 1. */
export type CalendarDate = { readonly year: number; readonly month: number; readonly day: number }

export const dayMs = 86_400_000

/** Days since 1970-01-01 of a date; the month may be any whole number, 13 is the next January. */
export function daysOfDate(year: number, month: number, day: number): number {
  const months = year * 12 + month - 1
  // Years begin in March, so that the leap day is the last day of its year.
  const marchMonths = months - 2
  const marchYear = Math.floor(marchMonths / 12)
  const monthOfYear = marchMonths - marchYear * 12
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const dayOfYear = Math.floor((153 * monthOfYear + 2) / 5) + day - 1
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * daysOfEra + dayOfEra - daysToEpoch
}

/** The date that is some days after 1970-01-01. */
export function dateOfDays(days: number): CalendarDate {
  const shifted = days + daysToEpoch
  const era = Math.floor(shifted / daysOfEra)
  const dayOfEra = shifted - era * daysOfEra
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const yearDays = 365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100)
  const dayOfYear = dayOfEra - yearDays
  const monthOfYear = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * monthOfYear + 2) / 5) + 1
  const month = monthOfYear < 10 ? monthOfYear + 3 : monthOfYear - 9
  return { year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day }
}

export function daysInMonth(year: number, month: number): number {
  return daysOfDate(year, month + 1, 1) - daysOfDate(year, month, 1)
}

/** Days since 1970-01-01 of `YYYY-MM-DD`; undefined when the text is no such date. */
export function daysOfText(text: string): number | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (match === null) return undefined
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined
  return daysOfDate(year, month, day)
}

/** Four centuries, after which the calendar repeats. */
const daysOfEra = 146_097
/** From 0000-03-01 to 1970-01-01. */
const daysToEpoch = 719_468
