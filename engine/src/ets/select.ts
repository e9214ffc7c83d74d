import type { Candidate, Run } from '../family.ts'
import { checkForm } from './check.ts'
import { type Estimate, estimate, type Searches } from './estimate.ts'
import { type Form, formName, parameterCount } from './form.ts'
import type { EtsSpec } from './spec.ts'

/** The form that was taken, and what became of the others. */
export type Selection = {
  readonly best: Estimate | undefined
  readonly candidates: readonly Candidate[]
  readonly iterations: number
  readonly evaluations: number
}

export type Criteria = { readonly aic: number; readonly aicc: number; readonly bic: number }

/**
 * Information criteria of a log-likelihood; the variance counts as a parameter. AICc is infinite
 * where there are too few observations for it.
 */
export function criteriaOf(logLikelihood: number, form: Form, observed: number): Criteria {
  const parameters = parameterCount(form) + 1
  const aic = 2 * parameters - 2 * logLikelihood
  const left = observed - parameters - 1
  return {
    aic,
    aicc: left > 0 ? aic + (2 * parameters * (parameters + 1)) / left : Number.POSITIVE_INFINITY,
    bic: parameters * Math.log(observed) - 2 * logLikelihood,
  }
}

/**
 * Estimates every form coarsely, each from the optima of the forms that it extends, then the
 * likely ones to the end. `offset` is what a log-likelihood lacks for the units of the data.
 */
export function select(
  searches: Searches,
  forms: readonly Form[],
  spec: EtsSpec,
  y: Float64Array,
  offset: number,
  run: Run,
): Selection {
  const { observed } = searches.trace
  const estimates: Estimate[] = []
  const refusals = new Map<Form, string>()
  let [iterations, evaluations] = [0, 0]
  const scoreOf = ({ value, form }: Estimate) => {
    return criteriaOf(offset - value, form, observed)[spec.criterion]
  }
  const attempt = (form: Form, known: readonly Estimate[], quick: boolean) => {
    const found = estimate(searches, form, known, quick)
    iterations += found?.iterations ?? 0
    evaluations += found?.evaluations ?? 0
    return found
  }
  for (const [at, form] of forms.entries()) {
    const refusal = checkForm(y, form)
    const kin = estimates.filter((other) => isKin(other.form, form))
    const found = refusal === undefined ? attempt(form, kin, forms.length > 1) : undefined
    if (found !== undefined) estimates.push(found)
    else refusals.set(form, refusal?.detail ?? 'Its fits do not stay above zero.')
    run.onProgress?.((0.7 * (at + 1)) / forms.length)
    if (searches.budget.ended() !== undefined) break
  }
  const ranked = [...estimates].sort((a, b) => scoreOf(a) - scoreOf(b))
  const lowest = ranked[0] === undefined ? 0 : scoreOf(ranked[0])
  let best = ranked[0]
  if (forms.length > 1) {
    for (const near of ranked) {
      if (searches.budget.ended() !== undefined) break
      if (scoreOf(near) > lowest + likelyWithin && near !== ranked[0]) break
      const found = attempt(near.form, [near], false) ?? near
      estimates[estimates.indexOf(near)] = found
      if (best === undefined || scoreOf(found) < scoreOf(best)) best = found
    }
  }
  const candidates = forms.map((form): Candidate => {
    const name = formName(form)
    const found = estimates.find((other) => other.form === form)
    if (found === undefined) return { name, refused: refusals.get(form) ?? 'The fit was stopped.' }
    const { aicc } = criteriaOf(offset - found.value, form, observed)
    return Number.isFinite(aicc) ? { name, aicc } : { name, refused: 'Too few observations.' }
  })
  return { best, candidates, iterations, evaluations }
}

/** How far above the best a coarse criterion may be and still turn out the best. */
const likelyWithin = 2

/** Whether the optimum of one form is worth a start for another: all but the error or the trend. */
function isKin(known: Form, form: Form): boolean {
  return known.season === form.season
}
