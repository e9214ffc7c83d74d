import { writeFile } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Outcome } from '../fault.ts'
import type { Training } from '../regress/collect.ts'
import { readTraining } from '../regress/files.ts'
import { fitTraining } from '../regress/fit.ts'
import { predictForest } from '../regress/forest.ts'
import { predictLinear } from '../regress/linear.ts'
import { type RegressionModel, widthsOf } from '../regress/predict.ts'
import { encodeRegression } from '../regress/storage.ts'
import { Refused } from './load.ts'
import type { RegressionFitted, RegressionJob } from './protocol.ts'

/** From a clean table to a model in a file. Throws `Refused`. */
export async function fitRows(
  { spec, cleanFile, modelFile }: RegressionJob,
  onProgress: (fraction: number) => void,
): Promise<RegressionFitted> {
  const training = settled(await readTraining(spec, { file: cleanFile, ...form }))
  const steps = fitTraining(spec, training)
  let step = steps.next()
  for (; !step.done; step = steps.next()) {
    onProgress(step.value)
    // So that it is noticed when nobody waits any more.
    await nextTurn()
  }
  const model = settled(step.value)
  await writeFile(modelFile, encodeRegression(model))
  const { rows, unusable, categories } = model
  const errorOfFit = errorOf(model, training)
  return { rows, unusable, categories: categories.flat().length, errorOfFit }
}

/** As the clean table is written. */
const form = {
  encoding: 'utf-8',
  delimiter: ',',
  quote: '"',
  multiline: true,
  header: null,
} as const

function settled<T>(outcome: Outcome<T>): T {
  if (outcome.kind === 'refused') throw new Refused(...outcome.faults)
  return outcome.value
}

/** Of so many rows: enough for two digits. */
const judgedMax = 20_000

function errorOf({ fitted, categories }: RegressionModel, { columns, targets }: Training): number {
  const widths = widthsOf(categories)
  const step = Math.max(1, Math.floor(targets.length / judgedMax))
  let [sum, count] = [0, 0]
  for (let row = 0; row < targets.length; row += step) {
    const numbers = Float64Array.from(columns, (column) => column[row]!)
    const predicted =
      fitted.kind === 'linear'
        ? predictLinear(fitted, numbers, widths)
        : predictForest(fitted, numbers)
    sum += (predicted - targets[row]!) ** 2
    count += 1
  }
  return Math.sqrt(sum / count)
}
