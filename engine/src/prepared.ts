import type { Family, Plan, Prepared, Run } from './family.ts'

/** By the family's own preparation; a family without one computes each forecast from its model. */
export function preparedBy<Spec, Model>(
  family: Family<Spec, Model>,
  model: Model,
  plan: Plan,
  run: Run,
): Prepared {
  if (family.prepare) return family.prepare(model, plan, run)
  return {
    at: (quantiles, horizon = plan.horizon) =>
      family.forecast(model, { ...plan, horizon, quantiles }, run),
    sizeBytes: plainBytes,
  }
}

/** Some closures. */
const plainBytes = 500
