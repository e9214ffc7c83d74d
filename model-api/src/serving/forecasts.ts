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
  readonly sizeBytes: number
  point?: { readonly values: Float64Array; readonly text: string }
}

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
  readonly #kept = new ByteCache<Kept>(bounds.preparedBytes, ({ sizeBytes }) => sizeBytes)

  /** `key` tells the version from any other. Throws a refusal where the model has no forecast. */
  compute(key: string, { model }: LoadedVersion, { horizon, levels }: Question): Computed {
    // Lower bounds, widest first, then upper bounds, widest last.
    const quantiles = levelQuantiles(levels)
    if (levels.length === 0 || horizon > bounds.preparedHorizonMax)
      return {
        forecast: settled(forecastModel(model, { horizon, quantiles })),
        pointText: undefined,
      }
    const kept = this.#keep(`${key}#${horizon}`, model, horizon)
    const forecast = settled(kept.prepared.at(quantiles))
    const { point } = forecast
    if (kept.point?.values !== point) {
      const text = numbersText(point, { from: 0, to: horizon })
      kept.point = { values: point, text }
    }
    return { forecast, pointText: kept.point.text }
  }

  #keep(key: string, model: AnyModel, horizon: number): Kept {
    const known = this.#kept.get(key)
    if (known) return known
    const prepared = prepareForecast(model, { horizon })
    const kept: Kept = { prepared, sizeBytes: prepared.sizeBytes + horizon * textBytesPerNumber }
    this.#kept.set(key, kept)
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
