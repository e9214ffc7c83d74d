import type { Refusal, Series } from '../family.ts'
import { checkCalendar } from '../series/calendar-steps.ts'
import { checkObserved } from '../series/check.ts'
import { observedSteps, settleSeasons } from './settle.ts'
import { type AdditiveSpec, needsCalendar, specLimits } from './spec.ts'

/** Why a series cannot be fitted; undefined when it can. */
export function checkAdditiveSeries(series: Series, spec: AdditiveSpec): Refusal | undefined {
  const fault = checkObserved(series.y, 1)
  if (fault !== undefined) return fault
  if (series.calendar === undefined) {
    if (needsCalendar(spec)) {
      return {
        code: 'no-calendar',
        detail: 'The spec speaks of dates, and the series says nothing of when it was observed.',
        field: '/calendar',
        remedy: 'Tell the start and the frequency of the series, or put steps instead of dates.',
      }
    }
  } else {
    const wrong = checkCalendar(series.calendar)
    if (wrong !== undefined) return wrong
  }
  return checkColumns(series, spec)
}

function checkColumns(series: Series, spec: AdditiveSpec): Refusal | undefined {
  const names = Object.keys(series.x ?? {})
  const absent = spec.regressors.findIndex(({ name }) => !names.includes(name))
  if (absent >= 0) {
    const name = spec.regressors[absent]!.name
    return {
      code: 'missing-regressor',
      detail: `The series has no regressor ${JSON.stringify(name)}.`,
      field: `/regressors/${absent}/name`,
      remedy: `Send its values in x, or take it out of the spec.`,
    }
  }
  const seasons = settleSeasons(spec, series, observedSteps(series.y))
  const taken = new Set(['trend', ...seasons.map(({ name }) => name)])
  for (const { name } of spec.holidays) taken.add(name)
  const twice = names.find((name) => taken.has(name) || name.length > 100 || !name.isWellFormed())
  if (twice !== undefined) {
    const detail = `The regressor ${JSON.stringify(twice.slice(0, 100))} needs a name of its own.`
    return { code: 'out-of-range', detail, field: '/x' }
  }
  let columns = names.length
  for (const { order } of seasons) columns += 2 * order
  for (const { lowerWindow, upperWindow } of spec.holidays) columns += upperWindow - lowerWindow + 1
  if (columns <= specLimits.columnsMax) return undefined
  return {
    code: 'too-many',
    detail: `${columns} columns are too many; at most ${specLimits.columnsMax} are taken.`,
    field: '/holidays',
    remedy: 'Use lower orders, narrower windows, or fewer holidays.',
  }
}
