import { setImmediate as nextTurn } from 'node:timers/promises'
import { assert, Doorkeeper, limits, Refused } from '@almanac/shared'
import { Gate } from '../base/gate.ts'
import type { NodeMetrics } from '../base/metrics.ts'
import { bounds } from '../config/bounds.ts'
import { answerText, bytesOf } from './answer-text.ts'
import { ByteCache } from './byte-cache.ts'
import { type Computed, Forecasts, type Subject } from './forecasts.ts'
import type { LoadedModel } from './load-version.ts'
import type { Question } from './question.ts'
import { type Calendar, timesAfter } from './timestamps.ts'

/** What an answer is made from. */
export type Source = {
  readonly calendar: Calendar | undefined
  /** Throws a refusal where there is no forecast. */
  readonly compute: (question: Question) => Computed
}

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
  answer(id: string, loaded: LoadedModel, question: Question): Buffer | Promise<Buffer> {
    const of = subjectOf(id, loaded)
    const known = this.kept(of.key, question)
    if (known) return known
    const compute = (asked: Question) => this.#forecasts.compute(of, loaded, asked)
    return this.make(of.key, { calendar: loaded.calendar, compute }, question)
  }

  /** What was answered before, under a name that tells its model from any other. */
  kept(name: string, question: Question): Buffer | undefined {
    const known = this.#cache.get(keyOf(name, question))
    if (known) this.#metrics.forecasts.inc({ from: 'cache' })
    return known
  }

  /** What was not. Throws or rejects with a refusal where the question has no answer. */
  make(name: string, source: Source, question: Question): Buffer | Promise<Buffer> {
    this.#metrics.forecasts.inc({ from: 'model' })
    const key = keyOf(name, question)
    const cells = question.horizon * (1 + 2 * question.levels.length)
    if (cells > bounds.answerCellsAtOnce) return this.#answerLarge(key, source, question)
    const bytes = bytesOf([...textOf(source, question)])
    this.#keep(key, bytes)
    return bytes
  }

  /** Makes the first answers of a version that is about to serve as quick as all others. */
  warm(id: string, loaded: LoadedModel): Promise<void> {
    return this.#forecasts.warm(subjectOf(id, loaded), loaded)
  }

  #keep(key: string, bytes: Buffer): void {
    const isKnown = this.#doorkeeper.knows(key)
    if (isKnown || this.#cache.hasRoom(key, bytes)) this.#cache.set(key, bytes)
  }

  #answerLarge(key: string, source: Source, question: Question): Promise<Buffer> {
    const underWay = this.#underWay.get(key)
    if (underWay) return underWay
    if (this.#large.size >= bounds.largeAnswersWaitingMax)
      throw new Refused(503, 'busy', 'Too many long forecasts are being computed.', {
        retryAfterSeconds: 1,
      })
    const work = this.#large
      .run(async () => {
        const parts: string[] = []
        for (const part of textOf(source, question)) {
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

function subjectOf(id: string, { version, sha256 }: LoadedModel): Subject {
  return { id, key: `${id}@${version}@${sha256}` }
}

const keyOf = (name: string, question: Question) => `${name}?${question.key}`

function textOf(source: Source, question: Question): Generator<string> {
  const { horizon, timestamps } = question
  assert(horizon <= limits.horizonMax, 'horizons are checked before')
  const times = timestamps ? timesAfter(source.calendar, horizon).texts() : undefined
  return answerText(source.compute(question), question, times)
}
