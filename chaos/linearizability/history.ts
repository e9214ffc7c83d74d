import { type Static, type TObject, type TProperties, Type } from 'typebox'

/*
 * What clients did to models and what they were told: the input of the checker in Go, one JSON
 * object a line. Unknown fields are refused there, so that nothing is left out by a misspelling.
 *
 * From calls of the public API: a `POST …/fit` with a version in its answer (200, 202) is an
 * `allocate`, and with state `serving` a `serves` over the same time, too. `POST …/rollback`
 * answered 200 or 202 is a `rollback`; 200 and a version asked for: a `serves`, too.
 * `GET /api/models/:model` is a `look`; a read of the record from the coordinator is a `read`.
 * Promotions come from `…/log`: an entry that says `to` a version is a `promote`.
 *
 * A call with an answer that tells that nothing was done (4xx) is left out. After any other
 * failure (5xx, a broken connection, no answer in time) the outcome is unknown: `returnMs` is null.
 * A call that was repeated under one `Idempotency-Key` is one operation, from the first call to
 * the last return.
 */

const strict = <T extends TProperties>(properties: T): TObject<T> =>
  Type.Object(properties, { additionalProperties: false })

const Version = Type.Integer({ minimum: 1 })
const Count = Type.Integer({ minimum: 0 })
const VersionOrNull = Type.Union([Version, Type.Null()])

/** As one broker sees the record; null: 404. */
const Seen = strict({
  serving: VersionOrNull,
  /** Promotions and deletions so far: the place in the log. */
  changes: Count,
})

/** The record as the coordinator has it; null: there is none, or a tombstone. */
const Found = strict({
  serving: VersionOrNull,
  target: VersionOrNull,
  /** The API does not tell everything. */
  previous: Type.Optional(VersionOrNull),
  high: Type.Optional(Count),
  hold: Type.Boolean(),
  changes: Count,
})

const Act = Type.Union([
  /** A version number is taken; the model comes into being when it is not there. */
  strict({ kind: Type.Literal('allocate'), version: VersionOrNull }),
  /** Target and hold are set. `version` null: to the one before the serving one. */
  strict({ kind: Type.Literal('rollback'), version: VersionOrNull }),
  strict({ kind: Type.Literal('release') }),
  /** `lastVersion` as answered; null with an unknown outcome. */
  strict({ kind: Type.Literal('delete'), lastVersion: Type.Union([Count, Type.Null()]) }),
  /**
   * Entry `n` of the log: `to` serves after `from`. Called when the earliest request began that may
   * have led to it (0 when that is not known), returned when it was first seen, null otherwise.
   */
  strict({
    kind: Type.Literal('promote'),
    n: Type.Integer({ minimum: 1 }),
    from: VersionOrNull,
    to: Version,
    why: Type.Union([Type.Literal('fit'), Type.Literal('rollback')]),
  }),
  /** A broker saw that the version serves: may be old, but not older than what it said before. */
  strict({ kind: Type.Literal('serves'), broker: Type.String(), version: Version }),
  /**
   * The same when it was asked for the model. What it denies it has asked the coordinator for, and
   * remembers for a moment: `callMs` is as much earlier.
   */
  strict({
    kind: Type.Literal('look'),
    broker: Type.String(),
    found: Type.Union([Seen, Type.Null()]),
  }),
  /** Linearizable. */
  strict({ kind: Type.Literal('read'), found: Type.Union([Found, Type.Null()]) }),
])

export const Operation = strict({
  client: Type.String(),
  model: Type.String(),
  /** On one monotonic clock for all clients. */
  callMs: Type.Number({ minimum: 0 }),
  /** Null: whether it was done, and when, is not known. */
  returnMs: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
  act: Act,
})
export type Operation = Static<typeof Operation>
