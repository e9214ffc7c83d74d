import type { Components, Explained, Family, Outcome, Refusal, Run, Series } from '../family.ts'
import { limits } from '../limits.ts'
import { done, refused } from '../outcome.ts'
import { checkObserved, checkPending, checkValues } from '../series/check.ts'
import { explainAutomatic } from './explain.ts'
import { fitAutomatic } from './fit.ts'
import { forecastAutomatic } from './forecast.ts'
import { type AutomaticModel, type Member, memberSeries } from './model.ts'
import { partOf } from './parts.ts'
import { prepareAutomatic } from './prepare.ts'
import { repaired } from './repairs.ts'
import { simulateAutomatic } from './simulate.ts'
import { type AutomaticSpec, parseAutomaticSpec } from './spec.ts'
import { automaticBytes, automaticFormat, decodeAutomatic, encodeAutomatic } from './storage.ts'

/** The median of several models, chosen by what the series is like; one observation is enough. */
export const automatic: Family<AutomaticSpec, AutomaticModel> = {
  name: 'automatic',
  format: automaticFormat,
  can: { regressors: false, observationsMin: 1, zeros: true },
  parse: parseAutomaticSpec,
  check: checkAutomaticSeries,
  fit(series: Series, spec: AutomaticSpec, run: Run): Outcome<AutomaticModel> {
    const refusal = checkAutomaticSeries(series)
    return refusal === undefined ? fitAutomatic(series, spec, run) : refused(refusal)
  },
  filter(model: AutomaticModel, series: Series): Outcome<AutomaticModel> {
    const refusal = checkAutomaticSeries(series)
    if (refusal !== undefined) return refused(refusal)
    if (series.y.length <= model.skipped) return refused(tooShort(model))
    const seen = memberSeries(model, series)
    const taken = takenAfter(0, seen.y)
    return moveMembers({ ...model, taken }, (member) => partOf(member).filter(member, seen))
  },
  update(model: AutomaticModel, newer: Series): Outcome<AutomaticModel> {
    const refusal = checkValues(newer.y)
    if (refusal !== undefined) return refused(refusal)
    const seen = { ...newer, y: repaired(newer.y, model.repairs, model.taken) }
    const taken = takenAfter(model.taken, newer.y)
    return moveMembers({ ...model, taken }, (member) => partOf(member).update(member, seen))
  },
  forecast: forecastAutomatic,
  prepare: prepareAutomatic,
  simulate: simulateAutomatic,
  explain(model: AutomaticModel, what: Explained): Outcome<Components> {
    const refusal = 'ask' in what ? undefined : checkAutomaticSeries(what.series)
    if (refusal !== undefined) return refused(refusal)
    const short = 'series' in what && what.series.y.length <= model.skipped
    return short ? refused(tooShort(model)) : explainAutomatic(model, what)
  },
  encode: encodeAutomatic,
  decode: decodeAutomatic,
  sizeBytes: automaticBytes,
}

/** Why a series cannot be fitted: it has no observation, or ends in too many missing ones. */
function checkAutomaticSeries({ y }: Series): Refusal | undefined {
  return checkObserved(y, 1) ?? checkPending(y, 0)
}

/** No repair is as far from the beginning as the limit, so that counting may end there. */
function takenAfter(taken: number, newer: Float64Array): number {
  return Math.min(limits.observationsMax, taken + newer.length)
}

/** Each member moved on; one that cannot take the values is left behind, in filter as in update. */
function moveMembers(
  model: AutomaticModel,
  move: (member: Member['model']) => Outcome<Member['model']>,
): Outcome<AutomaticModel> {
  const members: Member[] = []
  const left: string[] = []
  let refusal: Outcome<never> | undefined
  for (const member of model.members) {
    const outcome = move(member.model)
    if (outcome.kind === 'refused') {
      refusal = outcome
      left.push(`${member.name}: ${outcome.reason.detail}`)
    } else members.push({ ...member, model: outcome.value })
  }
  if (refusal !== undefined && members.length === 0) return refusal
  return done({ ...model, members }, left.length > 0 ? { left } : {})
}

function tooShort({ skipped }: AutomaticModel): Refusal {
  return {
    code: 'too-short',
    detail: `The model was fitted after the first ${skipped} values; there have to be more.`,
    field: '/y',
  }
}
