import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  type AnyModel,
  type Forecast,
  forecastModel,
  levelQuantiles,
  type Prepared,
  prepareForecast,
} from '@almanac/engine'
import { Refused } from '@almanac/shared'
import { bounds } from '../config/bounds.ts'
import { ByteCache } from './byte-cache.ts'
import type { LoadedVersion } from './load-version.ts'
import { numbersText } from './numbers-text.ts'
import type { Question } from './question.ts'

/** What is kept of a version and a horizon for levels to come. */
type Kept = {
  readonly prepared: Prepared
  point?: { readonly values: Float64Array; readonly text: string }
}

/** Who holds a `Kept`, without being held. */
type Place = {
  readonly model: WeakRef<AnyModel>
  readonly horizon: number
  readonly sizeBytes: number
}

/** Which model, and a key that tells its version from any other. */
export type Subject = { readonly id: string; readonly key: string }

export type Computed = {
  readonly forecast: Forecast
  /** The point forecast as JSON without brackets, where it is known. */
  readonly pointText: string | undefined
}

/**
 * Forecasts of loaded versions. What all levels have in common is computed once for a version and
 * a horizon, and so is the text of the point forecast.
 */
export class Forecasts {
  /** What is prepared holds its model, and so goes with it when a version is unloaded. */
  readonly #kept = new WeakMap<AnyModel, Map<number, Kept>>()
  /** What was used when: bounds what is kept of all models together. */
  readonly #places: ByteCache<Place>

  /** Horizons of intervals that were asked of a model, the latest last. */
  readonly #asked = new Map<string, Set<number>>()

  constructor(bytesMax: number = bounds.preparedBytes) {
    const forget = ({ model, horizon }: Place) => {
      const holder = model.deref()
      if (holder) this.#kept.get(holder)?.delete(horizon)
    }
    this.#places = new ByteCache(bytesMax, ({ sizeBytes }) => sizeBytes, forget)
  }

  /** Throws a refusal where the model has no forecast. */
  compute({ id, key }: Subject, { model }: LoadedVersion, question: Question): Computed {
    const { horizon, levels } = question
    // Lower bounds, widest first, then upper bounds, widest last.
    const quantiles = levelQuantiles(levels)
    if (levels.length === 0 || horizon > bounds.preparedHorizonMax)
      return {
        forecast: settled(forecastModel(model, { horizon, quantiles })),
        pointText: undefined,
      }
    this.#remember(id, horizon)
    const kept = this.#keep(`${key}#${horizon}`, model, horizon)
    const forecast = settled(kept.prepared.at(quantiles))
    const { point } = forecast
    if (kept.point?.values !== point) {
      const text = numbersText(point, { from: 0, to: horizon })
      kept.point = { values: point, text }
    }
    return { forecast, pointText: kept.point.text }
  }

  /**
   * Does what the first forecasts of a version would do, for the horizons that were asked of its
   * model before it, a piece between two other requests: so that nobody waits for a new version.
   */
  async warm({ id, key }: Subject, { model }: LoadedVersion): Promise<void> {
    for (const horizon of [...(this.#asked.get(id) ?? [])]) {
      const { prepared } = this.#keep(`${key}#${horizon}`, model, horizon)
      for (const _ of prepared.begin?.() ?? []) await nextTurn()
    }
  }

  #remember(id: string, horizon: number): void {
    const known = this.#asked.get(id)
    if (known?.has(horizon)) return
    const horizons = new Set([...(known ?? []), horizon].slice(-bounds.warmHorizonsMax))
    this.#asked.delete(id)
    this.#asked.set(id, horizons)
    const [oldest] = this.#asked.keys()
    if (this.#asked.size > bounds.warmModelsMax && oldest !== undefined) this.#asked.delete(oldest)
  }

  #keep(key: string, model: AnyModel, horizon: number): Kept {
    const own = this.#kept.get(model) ?? new Map<number, Kept>()
    const known = own.get(horizon)
    if (known) {
      this.#places.get(key)
      return known
    }
    const prepared = prepareForecast(model, { horizon })
    const sizeBytes = prepared.sizeBytes + horizon * textBytesPerNumber
    const kept: Kept = { prepared }
    const place = { model: new WeakRef(model), horizon, sizeBytes }
    if (this.#places.set(key, place)) this.#kept.set(model, own.set(horizon, kept))
    return kept
  }
}

/** Seventeen digits, sign, point and comma. */
const textBytesPerNumber = 20

function settled(outcome: ReturnType<typeof forecastModel>): Forecast {
  if (outcome.kind !== 'refused') return outcome.value
  const { code, detail, remedy } = outcome.reason
  throw new Refused(422, code, detail, remedy === undefined ? {} : { remedy })
}
