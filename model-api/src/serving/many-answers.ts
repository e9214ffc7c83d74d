import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Shard } from '@almanac/engine'
import { type Clock, Refused } from '@almanac/shared'
import { Gate } from '../base/gate.ts'
import type { NodeMetrics } from '../base/metrics.ts'
import { bounds } from '../config/bounds.ts'
import { type Bounded, computeOnce } from './forecasts.ts'
import { type ManyWriter, writerFor } from './many-writers.ts'
import type { ShardQuestion } from './question.ts'
import { modelAt, placesOf } from './shard-series.ts'
import { timesAfter } from './timestamps.ts'

/** A shard, and within what the version that is asked keeps forecasts. */
export type AskedShard = Pick<Bounded, 'bounds'> & { readonly shard: Shard }

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

  async answer(
    { shard, bounds: within }: AskedShard,
    question: ShardQuestion,
  ): Promise<ManyAnswer> {
    if (this.#gate.size > bounds.manyAnswersWaitingMax)
      throw new Refused(503, 'busy', 'Too many forecasts of many series are being computed.', {
        retryAfterSeconds: 1,
      })
    return await this.#gate.run(async () => {
      const range = placesOf(shard, question)
      const most = Math.min(question.limit, seriesOfOneAnswer(question), range.to - range.from)
      const writer = await writerFor(question, most)
      const write = (place: number) => writeOne(writer, { shard, bounds: within }, place, question)
      return await this.#compute(shard, { from: range.from, to: range.to, most }, writer, write)
    })
  }

  async #compute(
    shard: Shard,
    { from, to, most }: { readonly from: number; readonly to: number; readonly most: number },
    writer: ManyWriter,
    write: (place: number) => void,
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
      write(place)
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
function writeOne(
  writer: ManyWriter,
  { shard, bounds: within }: AskedShard,
  place: number,
  question: ShardQuestion,
): void {
  const key = shard.keyAt(place)
  try {
    const { model, calendar } = modelAt(shard, place)
    const { horizon, timestamps } = question
    const times = timestamps ? timesAfter(calendar, horizon) : undefined
    writer.forecast(key, computeOnce({ model, bounds: within }, question), times)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    writer.gap(key, error)
  }
}
