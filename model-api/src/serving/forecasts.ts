import { setTimeout as delay } from 'node:timers/promises'
import {
  type AnyModel,
  type Bounds,
  type Forecast,
  forecastModel,
  levelQuantiles,
  type Prepared,
  prepareForecast,
} from '@almanac/engine'
import { Refused } from '@almanac/shared'
import { bounds } from '../config/bounds.ts'
import { ByteCache } from './byte-cache.ts'
import type { LoadedModel } from './load-version.ts'
import { numbersText } from './numbers-text.ts'
import type { Question } from './question.ts'

/** What is kept of a version for levels and horizons to come. */
type Kept = {
  readonly prepared: Prepared
  /** The longest that it serves. */
  readonly horizon: number
  point?: Written
}

/** A point forecast as JSON without brackets, and where in it each number ends. */
type Written = { readonly values: Float64Array; readonly text: string; readonly ends: Int32Array }

/** Who holds a `Kept`, without being held. */
type Place = { readonly model: WeakRef<AnyModel>; readonly sizeBytes: number }

/** Which model, and a key that tells its version from any other. */
export type Subject = { readonly id: string; readonly key: string }

/** A model, and within what its version keeps forecasts. */
export type Bounded = { readonly model: AnyModel; readonly bounds: Bounds | undefined }

export type Computed = {
  readonly forecast: Forecast
  /** The point forecast as JSON without brackets, where it is known. */
  readonly pointText: string | undefined
}

/**
 * Forecasts of loaded versions. A short forecast is the beginning of a long one: so what all levels
 * have in common is computed once for a version, for the longest horizon that was asked of it, and
 * so is the text of the point forecast.
 */
export class Forecasts {
  /** What is prepared holds its model, and so goes with it when a version is unloaded. */
  readonly #kept = new WeakMap<AnyModel, Kept>()
  /** What was used when: bounds what is kept of all models together. */
  readonly #places: ByteCache<Place>

  /** The longest horizon of intervals that was asked of a model; the latest model last. */
  readonly #asked = new Map<string, number>()

  constructor(bytesMax: number = bounds.preparedBytes) {
    const forget = ({ model }: Place) => {
      const holder = model.deref()
      if (holder) this.#kept.delete(holder)
    }
    this.#places = new ByteCache(bytesMax, ({ sizeBytes }) => sizeBytes, forget)
  }

  /** Throws a refusal where the model has no forecast. */
  compute({ id, key }: Subject, loaded: LoadedModel, question: Question): Computed {
    const { horizon, levels } = question
    if (levels.length === 0 || horizon > bounds.preparedHorizonMax)
      return computeOnce(loaded, question)
    const quantiles = levelQuantiles(levels)
    this.#remember(id, horizon)
    const kept = this.#keep(key, loaded, horizon)
    const forecast = settled(kept.prepared.at(quantiles, horizon))
    const { point } = forecast
    if (kept.point === undefined || !begins(point, kept.point.values)) kept.point = written(point)
    const { text, ends } = kept.point
    return { forecast, pointText: text.slice(0, ends[horizon - 1]) }
  }

  /**
   * Does what the first forecast of a version would do, for the longest horizon that was asked of
   * its model before it, in pieces of less than a millisecond with as much rest between them that
   * requests have most of the processor: so nobody waits for a new version.
   */
  async warm({ id, key }: Subject, loaded: LoadedModel): Promise<void> {
    const horizon = this.#asked.get(id)
    if (horizon === undefined) return
    // To load a version took some milliseconds at a stretch.
    await delay(restMs)
    const { prepared } = this.#keep(key, loaded, horizon)
    for (const _ of prepared.begin?.() ?? []) await delay(restMs)
  }

  #remember(id: string, horizon: number): void {
    const known = this.#asked.get(id) ?? 0
    if (horizon <= known) return
    this.#asked.delete(id)
    this.#asked.set(id, horizon)
    const [oldest] = this.#asked.keys()
    if (this.#asked.size > bounds.warmModelsMax && oldest !== undefined) this.#asked.delete(oldest)
  }

  #keep(key: string, { model, bounds: within }: LoadedModel, wanted: number): Kept {
    const known = this.#kept.get(model)
    if (known && wanted <= known.horizon) {
      this.#places.get(key)
      return known
    }
    // Who asks for one step more each time must not have all of it computed each time.
    const grown = Math.ceil((known?.horizon ?? 0) * growth)
    const horizon = Math.min(bounds.preparedHorizonMax, Math.max(wanted, grown))
    const prepared = prepareForecast(model, { horizon, ...asked(within) })
    const sizeBytes = prepared.sizeBytes + horizon * textBytesPerNumber
    const kept: Kept = { prepared, horizon }
    if (this.#places.set(key, { model: new WeakRef(model), sizeBytes })) this.#kept.set(model, kept)
    return kept
  }
}

/** A forecast of which nothing is kept. Throws a refusal where the model has none. */
export function computeOnce(
  { model, bounds: within }: Bounded,
  { horizon, levels }: Question,
): Computed {
  // Lower bounds, widest first, then upper bounds, widest last.
  const quantiles = levelQuantiles(levels)
  const ask = { horizon, quantiles, ...asked(within) }
  return { forecast: settled(forecastModel(model, ask)), pointText: undefined }
}

const asked = (within: Bounded['bounds']) => (within ? { bounds: within } : {})

const growth = 1.25
/** All pieces of a simulated forecast of 500 steps then take a tenth of a second. */
const restMs = 3

/** Whether these are the first of those values, in the same memory. */
function begins(values: Float64Array, longer: Float64Array): boolean {
  const { buffer, byteOffset, length } = longer
  return values.buffer === buffer && values.byteOffset === byteOffset && values.length <= length
}

function written(values: Float64Array): Written {
  const text = numbersText(values, { from: 0, to: values.length })
  const ends = new Int32Array(values.length)
  for (let i = 0, at = -1; i < ends.length; i++) {
    at = text.indexOf(',', at + 1)
    ends[i] = at < 0 ? text.length : at
  }
  return { values, text, ends }
}

/** Seventeen digits, sign, point and comma, and where they end. */
const textBytesPerNumber = 24

function settled(outcome: ReturnType<typeof forecastModel>): Forecast {
  if (outcome.kind !== 'refused') return outcome.value
  const { code, detail, remedy } = outcome.reason
  throw new Refused(422, code, detail, remedy === undefined ? {} : { remedy })
}
