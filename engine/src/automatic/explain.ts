import type { Components, Explained, Outcome } from '../family.ts'
import { done, refused } from '../outcome.ts'
import { makeMedian } from './combine.ts'
import { type AutomaticModel, memberSeries } from './model.ts'
import { partOf } from './parts.ts'

/**
 * The members' parts, averaged by weight. A median of members is not the mean of them: the part
 * `combination` is what it differs by, so that all parts add up to the combined value.
 */
export function explainAutomatic(model: AutomaticModel, what: Explained): Outcome<Components> {
  const told: { weight: number; components: Components }[] = []
  let refusal: Outcome<never> | undefined
  const asked = 'ask' in what ? what : { series: memberSeries(model, what.series) }
  for (const { weight, model: part } of model.members) {
    const outcome = partOf(part).explain(part, asked)
    if (outcome.kind === 'refused') refusal = outcome
    else told.push({ weight, components: outcome.value })
  }
  if (told.length === 0) return refusal ?? refused({ code: 'not-finite', detail: 'No parts.' })
  const skipped = 'ask' in what ? 0 : model.skipped
  return done(merge(told, skipped))
}

/** Components of several members as one, after some steps that none of them saw. */
function merge(
  told: readonly { weight: number; components: Components }[],
  skipped: number,
): Components {
  const weights = Float64Array.from(told, ({ weight }) => weight)
  const all = weights.reduce((sum, weight) => sum + weight, 0)
  const steps = told[0]!.components.total.length
  const empty = () => new Float64Array(skipped + steps).fill(Number.NaN)
  const total = empty()
  const names = new Set(told.flatMap(({ components }) => Object.keys(components.parts)))
  names.delete('combination')
  const parts = new Map([...names].map((name) => [name, empty()]))
  const combination = empty()
  const median = makeMedian(weights)
  for (let t = 0; t < steps; t++) {
    if (told.some(({ components }) => Number.isNaN(components.total[t]!))) continue
    const centre = median((i) => told[i]!.components.total[t]!)
    let sum = 0
    for (const [name, values] of parts) {
      let part = 0
      for (const { weight, components } of told) {
        part += (weight / all) * (components.parts[name]?.[t] ?? 0)
      }
      values[skipped + t] = part
      sum += part
    }
    total[skipped + t] = centre
    combination[skipped + t] = centre - sum
  }
  return { total, parts: { ...Object.fromEntries(parts), combination } }
}
