import type { Outcome, Series } from '../family.ts'
import { done, refused } from '../outcome.ts'
import { stepAt } from '../series/calendar-steps.ts'
import { checkValues, countObserved } from '../series/check.ts'
import type { AdditiveModel } from './model.ts'

/** The number of a series' first step: 0, or where its calendar has it in that of the model. */
export function firstStep({ design }: AdditiveModel, { calendar }: Series): Outcome<number> {
  if (design.calendar === null || calendar === undefined) return done(0)
  if (calendar.start === design.calendar.start) return done(0)
  const { index, exact } = Number.isFinite(calendar.start)
    ? stepAt(design.calendar, calendar.start)
    : { index: 0, exact: false }
  if (exact && Math.abs(index) <= stepsMax) return done(index)
  return refused({
    code: 'out-of-range',
    detail: 'The series begins at an instant that is no step of the calendar of the model.',
    field: '/calendar/start',
    remedy: 'Fit a new model, or let the series begin at one of its steps.',
  })
}

/** The model at the end of a series: its parameters stay, only the end is another one. */
export function endAt(model: AdditiveModel, first: number, series: Series): Outcome<AdditiveModel> {
  return moved({ ...model, length: first, observations: 0, missing: 0 }, series.y)
}

/** The model after newer values; costs one look at each. */
export function continueAdditive(model: AdditiveModel, { y }: Series): Outcome<AdditiveModel> {
  const fault = checkValues(y)
  return fault === undefined ? moved(model, y) : refused(fault)
}

function moved(model: AdditiveModel, y: Float64Array): Outcome<AdditiveModel> {
  const length = model.length + y.length
  if (length > stepsMax) {
    const detail = `A series of ${length} steps is too long.`
    return refused({ code: 'too-long', detail, field: '/y', remedy: 'Fit a new model.' })
  }
  const seen = countObserved(y)
  const observations = model.observations + seen
  const missing = model.missing + y.length - seen
  return done({ ...model, length, observations, missing }, { observations, missing })
}

/** Numbers of steps are stored in 32 bits. */
export const stepsMax = 1_000_000_000
