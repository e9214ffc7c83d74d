import type { Refusal } from '../family.ts'
import type { Calendar, CalendarUnit, Step, Zone } from './calendar.ts'
import { dateOfDays, dayMs, daysInMonth, daysOfDate } from './calendar-dates.ts'
import { instantOfLocal, localAt, offsetMaxMs } from './calendar-zones.ts'

/** The instants of `count` observations from number `from` on; numbers may be negative. */
export function instantsOf(calendar: Calendar, from: number, count: number): Float64Array {
  const { start, step } = calendar
  const instants = new Float64Array(count)
  if (step.kind === 'fixed') {
    for (let i = 0; i < count; i++) instants[i] = start + (from + i) * step.ms
    return instants
  }
  const locals = localsOf(calendar, from, count)
  // The first observation keeps its instant, even if it lies in the second of two equal hours.
  for (let i = 0; i < count; i++) {
    instants[i] = from + i === 0 ? start : instantOfLocal(step.zone, locals[i]!)
  }
  return instants
}

/**
 * The local times of observations, as milliseconds since the local 1970-01-01T00:00. For calendar
 * steps these are the dates that are counted, with the first observation's time of day, whether or
 * not the zone skips that time on that day.
 */
export function localsOf({ start, step }: Calendar, from: number, count: number): Float64Array {
  const locals = new Float64Array(count)
  if (step.kind === 'fixed') {
    for (let i = 0; i < count; i++) locals[i] = localAt(step.zone, start + (from + i) * step.ms)
    return locals
  }
  const local = localAt(step.zone, start)
  const days = daysOf(step)
  if (days > 0) {
    for (let i = 0; i < count; i++) locals[i] = local + (from + i) * days * dayMs
    return locals
  }
  const firstDays = Math.floor(local / dayMs)
  const time = local - firstDays * dayMs
  const { year, month, day } = dateOfDays(firstDays)
  const months = monthsOf(step)
  for (let i = 0; i < count; i++) {
    // Each month is counted from the first one, so that a short one shortens none after it.
    const at = year * 12 + month - 1 + (from + i) * months
    const toYear = Math.floor(at / 12)
    const toMonth = at - toYear * 12 + 1
    const toDay = Math.min(day, daysInMonth(toYear, toMonth))
    locals[i] = daysOfDate(toYear, toMonth, toDay) * dayMs + time
  }
  return locals
}

/** The number of the last observation at or before an instant, and whether it is at it. */
export function stepAt(
  calendar: Calendar,
  instant: number,
): { readonly index: number; readonly exact: boolean } {
  const { start, step } = calendar
  const instantOf = (index: number) => instantsOf(calendar, index, 1)[0]!
  // Months differ in length and days in zones by far less than a step from their mean.
  let index = Math.floor((instant - start) / meanStepMs(step))
  while (instantOf(index) > instant) index--
  while (instantOf(index + 1) <= instant) index++
  return { index, exact: instantOf(index) === instant }
}

/** The mean length of a step; a year has 365.2425 days. */
export function meanStepMs(step: Step): number {
  if (step.kind === 'fixed') return step.ms
  const days = daysOf(step)
  return dayMs * (days > 0 ? days : (monthsOf(step) * 365.2425) / 12)
}

/** Why a calendar cannot be counted with; undefined when it can. */
export function checkCalendar({ start, step }: Calendar): Refusal | undefined {
  const fault = (detail: string, field: string): Refusal => ({
    code: 'out-of-range',
    detail,
    field: `/calendar${field}`,
  })
  if (!Number.isInteger(start) || Math.abs(start) > instantMax) {
    return fault('The start has to be an instant in whole milliseconds.', '/start')
  }
  if (step.kind === 'fixed') {
    if (!(Number.isInteger(step.ms) && step.ms >= 1 && step.ms <= stepMsMax)) {
      return fault('A fixed step has to be whole milliseconds, at most 400 years.', '/step/ms')
    }
  } else {
    if (!Object.hasOwn(unitMonths, step.unit)) {
      const units = Object.keys(unitMonths).join(', ')
      return fault(`The unit of a calendar step has to be one of ${units}.`, '/step/unit')
    }
    const { count } = step
    if (!(Number.isInteger(count) && count >= 1 && meanStepMs(step) <= stepMsMax)) {
      return fault(
        'The count of a step has to be a whole number, at most 400 years.',
        '/step/count',
      )
    }
  }
  return step.zone === undefined ? undefined : checkZone(step.zone, fault)
}

/** Instants beyond are not dates in JavaScript. */
const instantMax = 8.64e15
const stepMsMax = 146_097 * dayMs

const unitMonths: Readonly<Record<CalendarUnit, number>> = {
  day: 0,
  week: 0,
  month: 1,
  quarter: 3,
  year: 12,
}

type CalendarStep = Extract<Step, { kind: 'calendar' }>

/** Months of a step; 0 when it counts days. */
function monthsOf({ unit, count }: CalendarStep): number {
  return unitMonths[unit] * count
}

/** Days of a step; 0 when it counts months. */
function daysOf({ unit, count }: CalendarStep): number {
  return unit === 'day' ? count : unit === 'week' ? 7 * count : 0
}

function checkZone(
  { instants, offsetsMs }: Zone,
  fault: (detail: string, field: string) => Refusal,
): Refusal | undefined {
  const field = '/step/zone'
  if (instants.length !== offsetsMs.length) {
    return fault('A zone has one offset for each of its instants.', field)
  }
  for (let i = 0; i < instants.length; i++) {
    const ascends = i === 0 || instants[i]! > instants[i - 1]!
    if (!ascends || !(Math.abs(instants[i]!) <= instantMax)) {
      return fault(`The instants of a zone have to ascend; number ${i} does not.`, field)
    }
    if (!(Number.isInteger(offsetsMs[i]!) && Math.abs(offsetsMs[i]!) <= offsetMaxMs)) {
      return fault(`Offset ${i} of the zone is not whole milliseconds within a day.`, field)
    }
  }
  return undefined
}
