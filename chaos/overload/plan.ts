import { codec } from '@almanac/shared'
import { type Static, Type } from 'typebox'

/** What the load generator is told to do. */
export type Plan = {
  readonly url: string
  readonly seed: number
  readonly seconds: number
} & (
  | {
      /** The next request follows the answer to the last one, in so many places at once. */
      readonly atOnce: number
    }
  | {
      /** Requests come by chance, so many in a second, whatever becomes of those before. */
      readonly perSecond: number
    }
)

/**
 * A queue is overload only when it keeps growing: until a broker knows, it admits what comes, and
 * what it has admitted it answers. How long that takes is judged by itself.
 */
export const onsetMs = 1_000

const Latencies = Type.Object({
  p50Ms: Type.Number(),
  p99Ms: Type.Number(),
  maxMs: Type.Number(),
})
export type Latencies = Static<typeof Latencies>

/** What became of the load: one line of JSON. */
const Offered = Type.Object({
  sent: Type.Integer(),
  answered: Type.Integer(),
  refused: Type.Integer(),
  /** Refused without `Retry-After`, or neither answered nor refused. */
  failed: Type.Integer(),
  answeredPerSecond: Type.Number(),
  answers: Latencies,
  /** Of those answered, what was due later than in the first second. */
  settled: Latencies,
  refusals: Latencies,
  /** How late requests were sent: of the machine that asks, not of the one that answers. */
  lateP99Ms: Type.Number(),
  firstFailure: Type.Union([Type.String(), Type.Null()]),
})
export type Offered = Static<typeof Offered>

export const offeredCodec = codec(Offered)
