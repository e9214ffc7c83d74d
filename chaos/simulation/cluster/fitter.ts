import { describedSeries, encodeModel, fitModel, parseSpec } from '@almanac/engine'
import type { Dataset } from '@almanac/shared'
import type { Fitter } from '../../../model-api/src/fitting/fit-pool.ts'
import { readDataset } from '../../../model-api/src/fitting/read-dataset.ts'
import type { Process, World } from '../world/world.ts'

/** What a fit is going to be like, told by its data. */
export type FitCourse = {
  readonly ms: number
  readonly end: 'fitted' | 'refused' | 'crashed'
}

export type FitterParts = {
  readonly world: World
  readonly process: Process
  readonly courseOf: (value: number) => FitCourse
}

/** A series whose model is known without fitting: it has been `value` all the time. */
export const seriesOf = (value: number): Dataset => ({
  format: 1,
  series: [{ key: null, start: null, frequency: null, y: [value, value, value, value] }],
})

/** Stands for the threads: takes virtual time, and gives what the engine gives. */
export function createFitter({ world, process, courseOf }: FitterParts): Fitter {
  return {
    fit: (work, signal, onStart) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const { value, model } = fitted(work.dataset)
        const { ms, end } = courseOf(value)
        onStart?.({ progress: () => 0.5, place: () => -1 })
        const stop = () => {
          done.cancelled = true
          reject(signal.reason)
        }
        const done = world.after(ms, process, () => {
          signal.removeEventListener('abort', stop)
          const id = 1
          if (end === 'crashed') resolve({ kind: 'crashed', id, detail: 'as it was planned' })
          else if (end === 'refused')
            resolve({ kind: 'refused', id, code: 'too-short', detail: 'as it was planned' })
          else resolve({ kind: 'fitted', id, model, report: {}, calendar: null })
        })
        signal.addEventListener('abort', stop, { once: true })
      }),
    close: async () => {},
  }
}

const models = new Map<string, { readonly value: number; readonly model: Uint8Array }>()

/** Fits are repeatable, so each is done once for all simulations. */
function fitted(dataset: Uint8Array): { readonly value: number; readonly model: Uint8Array } {
  const text = Buffer.from(dataset).toString('latin1')
  const known = models.get(text)
  if (known) return known
  const series = readDataset(dataset)
  if ('fault' in series) throw new Error(`the simulation made bad data: ${series.fault}`)
  const spec = parseSpec(simpleSpec)
  if (spec.kind === 'refused') throw new Error('the simulation made a bad spec')
  const outcome = fitModel(describedSeries(series), spec.value, { seed: 1, workMax: 1e9 })
  if (outcome.kind === 'refused') throw new Error('the simulation made data that cannot be fitted')
  const made = { value: series.y[0] as number, model: Uint8Array.from(encodeModel(outcome.value)) }
  models.set(text, made)
  return made
}

export const simpleSpec = { family: 'baseline', method: 'naive' }
