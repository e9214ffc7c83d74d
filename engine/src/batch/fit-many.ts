import { fitModel, parseSpec } from '../facade.ts'
import type { AnyModel, AnySpec } from '../families.ts'
import type { Outcome, Run, Series } from '../family.ts'
import { seedOfKey } from '../numeric/random.ts'
import { refused } from '../outcome.ts'

/**
 * Fits each series of a batch with one spec, in the order of the batch, each when its outcome is
 * asked for. A series is seeded by its key, so that it gets the same model in any batch; one
 * without a key by its place. `run.workMax` is for each of them. What is wrong with one series is
 * its own refusal: the others are fitted all the same.
 */
export function* fitMany(
  batch: Iterable<Series>,
  spec: unknown,
  run: Run,
): Generator<Outcome<AnyModel>, void, undefined> {
  const parsed = parseSpec(spec)
  let place = 0
  for (const series of batch) {
    yield parsed.kind === 'refused' ? parsed : fitOneOfMany(series, place, parsed.value, run)
    place++
  }
}

/** What `fitMany` makes of the series at some place of its batch. */
export function fitOneOfMany(
  series: Series,
  place: number,
  spec: AnySpec,
  { seed, workMax, shouldStop }: Run,
): Outcome<AnyModel> {
  const own = seedOfKey(seed, series.key ?? `#${place}`)
  const stop = shouldStop === undefined ? {} : { shouldStop }
  try {
    return fitModel(series, spec, { seed: own, workMax, ...stop })
  } catch (fault) {
    // A fault of the engine: told for this series, so that a long batch is not lost to it.
    const what = fault instanceof Error ? fault.message : String(fault)
    return refused({ code: 'internal', detail: `The fit of this series failed: ${what}.` })
  }
}
