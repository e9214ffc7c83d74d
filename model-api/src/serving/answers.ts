import { setImmediate as nextTurn } from 'node:timers/promises'
import { assert, Doorkeeper, limits, Refused } from '@almanac/shared'
import { Gate } from '../base/gate.ts'
import type { NodeMetrics } from '../base/metrics.ts'
import { bounds } from '../config/bounds.ts'
import { ByteCache } from './byte-cache.ts'
import { type Computed, Forecasts, type Subject } from './forecasts.ts'
import type { LoadedVersion } from './load-version.ts'
import { numbersText } from './numbers-text.ts'
import type { Question } from './question.ts'
import { timestampsAfter } from './timestamps.ts'

/**
 * Answers as bytes. A version never changes, so what was answered once is answered again from
 * memory; once that is full, it takes only what is asked a second time. Large answers are written
 * in slices and one after the other, so that a small one never waits for long.
 */
export class Answers {
  readonly #cache: ByteCache<Buffer>
  readonly #doorkeeper = new Doorkeeper(limits.doorkeeperPlaces)
  readonly #forecasts: Forecasts
  readonly #metrics: NodeMetrics
  readonly #large = new Gate(1)
  readonly #underWay = new Map<string, Promise<Buffer>>()

  constructor(metrics: NodeMetrics, cacheBytes: number = bounds.answerCacheBytes) {
    this.#metrics = metrics
    this.#cache = new ByteCache(cacheBytes, ({ length }) => length)
    this.#forecasts = new Forecasts((cacheBytes / bounds.answerCacheBytes) * bounds.preparedBytes)
  }

  /** The public body. Throws or rejects with a refusal where the question has no answer. */
  answer(id: string, loaded: LoadedVersion, question: Question): Buffer | Promise<Buffer> {
    const of = subjectOf(id, loaded)
    const key = `${of.key}?${question.key}`
    const known = this.#cache.get(key)
    this.#metrics.forecasts.inc({ from: known ? 'cache' : 'model' })
    if (known) return known
    const cells = question.horizon * (1 + 2 * question.levels.length)
    if (cells > bounds.answerCellsAtOnce) return this.#answerLarge(key, of, loaded, question)
    const bytes = bytesOf([...this.#text(of, loaded, question)])
    this.#keep(key, bytes)
    return bytes
  }

  /** Makes the first answers of a version that is about to serve as quick as all others. */
  warm(id: string, loaded: LoadedVersion): Promise<void> {
    return this.#forecasts.warm(subjectOf(id, loaded), loaded)
  }

  #text(of: Subject, loaded: LoadedVersion, question: Question): Generator<string> {
    const { horizon, timestamps } = question
    assert(horizon <= limits.horizonMax, 'horizons are checked before')
    const times = timestamps ? timestampsAfter(loaded.calendar, horizon) : undefined
    return textOf(this.#forecasts.compute(of, loaded, question), question, times)
  }

  #keep(key: string, bytes: Buffer): void {
    const isKnown = this.#doorkeeper.knows(key)
    if (isKnown || this.#cache.hasRoom(key, bytes)) this.#cache.set(key, bytes)
  }

  #answerLarge(
    key: string,
    of: Subject,
    loaded: LoadedVersion,
    question: Question,
  ): Promise<Buffer> {
    const underWay = this.#underWay.get(key)
    if (underWay) return underWay
    if (this.#large.size >= bounds.largeAnswersWaitingMax)
      throw new Refused(503, 'busy', 'Too many long forecasts are being computed.', {
        retryAfterSeconds: 1,
      })
    const work = this.#large
      .run(async () => {
        const parts: string[] = []
        for (const part of this.#text(of, loaded, question)) {
          parts.push(part)
          await nextTurn()
        }
        const bytes = bytesOf(parts)
        this.#keep(key, bytes)
        return bytes
      })
      .finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, work)
    return work
  }
}

function subjectOf(id: string, { version, sha256 }: LoadedVersion): Subject {
  return { id, key: `${id}@${version}@${sha256}` }
}

/** One after the other, without a string of them all. */
function bytesOf(parts: readonly string[]): Buffer {
  const bytes = Buffer.allocUnsafeSlow(
    parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0),
  )
  let at = 0
  for (const part of parts) at += bytes.write(part, at)
  return bytes
}

/** The body in slices of bounded work. */
function* textOf(
  { forecast, pointText }: Computed,
  { horizon, levels }: Question,
  times: readonly string[] | undefined,
): Generator<string> {
  const { point, quantiles, notes } = forecast
  yield '{"data":['
  if (pointText === undefined) yield* numbers(point, horizon, 1, 0)
  else yield pointText
  yield ']'
  const width = 2 * levels.length
  for (const [i, level] of levels.entries()) {
    yield `${i === 0 ? ',"intervals":[' : ','}{"level":${level},"lower":[`
    yield* numbers(quantiles, horizon, width, levels.length - 1 - i)
    yield '],"upper":['
    yield* numbers(quantiles, horizon, width, levels.length + i)
    yield ']}'
  }
  if (levels.length > 0) yield ']'
  if (levels.length > 0 && notes.length > 0) yield `,"notes":${JSON.stringify(notes)}`
  if (times) yield `,"timestamps":${JSON.stringify(times)}`
  yield '}'
}

function* numbers(
  values: Float64Array,
  rows: number,
  width: number,
  column: number,
): Generator<string> {
  for (let from = 0; from < rows; from += bounds.answerCellsAtOnce) {
    const to = Math.min(rows, from + bounds.answerCellsAtOnce)
    if (from > 0) yield ','
    yield numbersText(values, { from, to }, width, column)
  }
}
