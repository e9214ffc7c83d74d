import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Shard } from '@almanac/engine'
import { type Clock, Refused } from '@almanac/shared'
import { Gate } from '../base/gate.ts'
import type { NodeMetrics } from '../base/metrics.ts'
import { bounds } from '../config/bounds.ts'
import { computeOnce } from './forecasts.ts'
import { type ManyWriter, writerFor } from './many-writers.ts'
import type { ShardQuestion } from './question.ts'
import { modelAt, placesOf } from './shard-series.ts'
import { timesAfter } from './timestamps.ts'

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
    return await this.#gate.run(async () => {
      const range = placesOf(shard, question)
      const most = Math.min(question.limit, seriesOfOneAnswer(question), range.to - range.from)
      const writer = await writerFor(question, most)
      return await this.#compute(shard, { from: range.from, to: range.to, most }, question, writer)
    })
  }

  async #compute(
    shard: Shard,
    { from, to, most }: { readonly from: number; readonly to: number; readonly most: number },
    question: ShardQuestion,
    writer: ManyWriter,
  ): Promise<ManyAnswer> {
    const startedMs = this.#clock.monotonicMs()
    let turnMs = startedMs
    let place = from
    for (; place - from < most; place++) {
      const nowMs = this.#clock.monotonicMs()
      const isLong = nowMs - startedMs >= bounds.manyAnswerMs
      if (place > from && (isLong || writer.size() >= bounds.manyAnswerCharactersMax)) break
      if (nowMs - turnMs >= bounds.manyAnswerTurnMs) {
        await nextTurn()
        turnMs = this.#clock.monotonicMs()
      }
      write(writer, shard, place, question)
    }
    const count = place - from
    this.#metrics.forecasts.inc({ from: 'shard' }, count)
    const after = place < to ? shard.keyAt(place - 1) : null
    return { body: writer.body(), count, after }
  }
}

function seriesOfOneAnswer({ horizon, levels }: ShardQuestion): number {
  return Math.max(1, Math.floor(bounds.manyAnswerCellsMax / (horizon * (1 + 2 * levels.length))))
}

/** What there is to say of a series: its forecast, or why it has none. */
function write(writer: ManyWriter, shard: Shard, place: number, question: ShardQuestion): void {
  const key = shard.keyAt(place)
  try {
    const { model, calendar } = modelAt(shard, place)
    const { horizon, timestamps } = question
    const times = timestamps ? timesAfter(calendar, horizon) : undefined
    writer.forecast(key, computeOnce(model, question), times)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    writer.gap(key, error)
  }
}
