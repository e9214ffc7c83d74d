import { type Static, Type } from 'typebox'

/*
 * What clients did to a coordinator at the same time and what they were told; see `history.ts` for
 * the envelope. The key space is empty at first, at revision 1, as that of a new etcd.
 */

const Revision = Type.Integer({ minimum: 0 })
const LeaseId = Type.Union([Type.String(), Type.Null()])
const strict = { additionalProperties: false } as const

const Entry = Type.Object(
  {
    key: Type.String(),
    value: Type.String(),
    createRevision: Revision,
    modRevision: Revision,
    lease: LeaseId,
  },
  strict,
)

const Act = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('transact'),
      when: Type.Array(
        Type.Object(
          {
            kind: Type.Union([
              Type.Literal('absent'),
              Type.Literal('present'),
              Type.Literal('modified-at'),
              Type.Literal('created-at'),
            ]),
            key: Type.String(),
            revision: Type.Optional(Revision),
          },
          strict,
        ),
      ),
      then: Type.Array(
        Type.Object(
          {
            kind: Type.Union([Type.Literal('put'), Type.Literal('delete')]),
            key: Type.String(),
            value: Type.Optional(Type.String()),
            lease: Type.Optional(LeaseId),
          },
          strict,
        ),
      ),
      /** Null with an unknown outcome, and `revision` says nothing. */
      succeeded: Type.Union([Type.Boolean(), Type.Null()]),
      revision: Revision,
    },
    strict,
  ),
  Type.Object(
    { kind: Type.Literal('get'), key: Type.String(), entry: Type.Union([Entry, Type.Null()]) },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal('list'),
      prefix: Type.String(),
      revision: Revision,
      entries: Type.Array(Entry),
    },
    strict,
  ),
  Type.Object({ kind: Type.Literal('revoke'), lease: Type.String() }, strict),
])

export const KeySpaceOperation = Type.Object(
  {
    client: Type.String(),
    model: Type.String(),
    callMs: Type.Number({ minimum: 0 }),
    returnMs: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
    act: Act,
  },
  strict,
)
export type KeySpaceOperation = Static<typeof KeySpaceOperation>
