import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Clock, type PredictOrder, type PredictReply, Refused } from '@almanac/shared'
import { Gate } from '../base/gate.ts'
import { bounds } from '../config/bounds.ts'
import type { LoadedRegression } from './load-version.ts'

/**
 * Predictions of rows. One order is worked on after the other, with turns between some of its rows,
 * so that a forecast never waits for long.
 */
export class Predictions {
  readonly #gate = new Gate(1)
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Throws a refusal where too many wait already. */
  async answer(loaded: LoadedRegression, order: PredictOrder): Promise<PredictReply> {
    if (this.#gate.size > bounds.predictOrdersWaitingMax)
      throw new Refused(503, 'busy', 'Too many rows are being predicted.', { retryAfterSeconds: 1 })
    return await this.#gate.run(() => this.#predict(loaded, order))
  }

  async #predict({ predict }: LoadedRegression, { columns, rows }: PredictOrder) {
    const predictions: PredictReply['predictions'] = []
    let turnMs = this.#clock.monotonicMs()
    for (const [i, row] of rows.entries()) {
      if (i % rowsPerLook === 0 && this.#clock.monotonicMs() - turnMs >= bounds.manyAnswerTurnMs) {
        await nextTurn()
        turnMs = this.#clock.monotonicMs()
      }
      predictions.push(predict(new Map(columns.map((name, place) => [name, row[place] ?? null]))))
    }
    return { predictions }
  }
}

/** Each takes some microseconds. */
const rowsPerLook = 32
