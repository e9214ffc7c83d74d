import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Shard } from '@almanac/engine'
import { type Clock, Refused } from '@almanac/shared'
import { Gate } from '../base/gate.ts'
import type { NodeMetrics } from '../base/metrics.ts'
import { bounds } from '../config/bounds.ts'
import { answerText, bytesOf } from './answer-text.ts'
import { csvGap, csvRows } from './csv-text.ts'
import { computeOnce } from './forecasts.ts'
import type { ShardQuestion } from './question.ts'
import { modelAt, placesOf } from './shard-series.ts'
import { timestampsAfter } from './timestamps.ts'

/** Some series of a shard. */
export type ManyAnswer = {
  readonly body: Buffer
  /** Series in it, those without a forecast included. */
  readonly count: number
  /** The last of them where the shard has more; null where it has not. */
  readonly after: string | null
}

/**
 * Forecasts of many series, as many as one answer holds. One answer is computed after the other,
 * with turns between a few of its series, so that a question about one series never waits for long.
 */
export class ManyAnswers {
  readonly #gate = new Gate(1)
  readonly #clock: Clock
  readonly #metrics: NodeMetrics

  constructor(clock: Clock, metrics: NodeMetrics) {
    this.#clock = clock
    this.#metrics = metrics
  }

  async answer(shard: Shard, question: ShardQuestion): Promise<ManyAnswer> {
    if (this.#gate.size > bounds.manyAnswersWaitingMax)
      throw new Refused(503, 'busy', 'Too many forecasts of many series are being computed.', {
        retryAfterSeconds: 1,
      })
    return await this.#gate.run(() => this.#compute(shard, question))
  }

  async #compute(shard: Shard, question: ShardQuestion): Promise<ManyAnswer> {
    const { from, to } = placesOf(shard, question)
    const seriesMax = Math.min(question.limit, seriesOfOneAnswer(question))
    const parts: string[] = []
    const startedMs = this.#clock.monotonicMs()
    let turnMs = startedMs
    let characters = 0
    let place = from
    for (; place < to && place - from < seriesMax; place++) {
      const nowMs = this.#clock.monotonicMs()
      const isLong = nowMs - startedMs >= bounds.manyAnswerMs
      if (place > from && (isLong || characters >= bounds.manyAnswerCharactersMax)) break
      if (nowMs - turnMs >= bounds.manyAnswerTurnMs) {
        await nextTurn()
        turnMs = this.#clock.monotonicMs()
      }
      for (const part of linesOf(shard, place, question)) {
        parts.push(part)
        characters += part.length
      }
    }
    const count = place - from
    this.#metrics.forecasts.inc({ from: 'shard' }, count)
    const after = place < to ? shard.keyAt(place - 1) : null
    return { body: bytesOf(parts), count, after }
  }
}

function seriesOfOneAnswer({ horizon, levels }: ShardQuestion): number {
  return Math.max(1, Math.floor(bounds.manyAnswerCellsMax / (horizon * (1 + 2 * levels.length))))
}

/** What there is to say of a series: its forecast, or why it has none. */
function linesOf(shard: Shard, place: number, question: ShardQuestion): Iterable<string> {
  const key = shard.keyAt(place)
  try {
    const { model, calendar } = modelAt(shard, place)
    const { horizon, timestamps } = question
    const times = timestamps ? timestampsAfter(calendar, horizon) : undefined
    const computed = computeOnce(model, question)
    if (question.format === 'csv') return [csvRows(key, computed, question, times)]
    return [...answerText(computed, question, times, key), '\n']
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    if (question.format === 'csv') return [csvGap(key, question)]
    const { code, message: detail } = error
    return [JSON.stringify({ series: key, error: { code, detail } }), '\n']
  }
}
