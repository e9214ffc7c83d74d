import type { Forecast, Outcome, Plan, Prepared, Run } from '../family.ts'
import { preparedBy } from '../prepared.ts'
import { gathered, type Middle, middleOf, type Voices, widthsAround } from './combine.ts'
import { concluded, forecastAutomatic } from './forecast.ts'
import type { AutomaticModel } from './model.ts'
import { partOf } from './parts.ts'

/** Every member prepared, and what their points settle together. */
export function prepareAutomatic(model: AutomaticModel, plan: Plan, run: Run): Prepared {
  const plainly = (quantiles: Float64Array, horizon = plan.horizon) =>
    forecastAutomatic(model, { ...plan, horizon, quantiles }, run)
  if (plan.point !== undefined) return { at: plainly, sizeBytes: 0 }
  const { members, calibration } = model
  const { bounds: _, ...unbounded } = plan
  const parts = members.map(({ model: member }) =>
    preparedBy(partOf(member), member, unbounded, run),
  )
  let middle: Middle | undefined
  const at = (quantiles: Float64Array, horizon = plan.horizon): Outcome<Forecast> => {
    const voices = gathered(members, (_, i) => parts[i]!.at(quantiles, horizon))
    // Without one that is silent for some quantiles only, the middle would be another.
    if (voices.kind === 'refused' || voices.value.names.length < members.length)
      return plainly(quantiles, horizon)
    if (middle === undefined || middle.point.length < horizon)
      middle = middleOf(voices.value, calibration, horizon)
    return concluded(model, around(firstOf(middle, horizon), voices.value, quantiles))
  }
  const around = (known: Middle, voices: Voices, quantiles: Float64Array): Forecast => ({
    point: known.point,
    quantiles: widthsAround(known, voices, calibration, quantiles),
    notes: voices.notes,
  })
  const memberBytes = parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const begin = function* () {
    for (const part of parts) {
      if (part.begin) yield* part.begin()
      yield
    }
    at(new Float64Array(0))
  }
  return { at, begin, sizeBytes: memberBytes + 24 * plan.horizon }
}

/** The same in the same memory, for the first steps. */
function firstOf({ point, spreads, scales }: Middle, horizon: number): Middle {
  return {
    point: point.subarray(0, horizon),
    spreads: spreads.subarray(0, horizon),
    scales: scales.subarray(0, horizon),
  }
}
