import { JobRecord, namePattern } from '@almanac/shared'
import { Type } from 'typebox'
import { PageQuery } from './schemas.ts'

const { kind, state } = JobRecord.properties

const oneOf = <T extends string>(literals: readonly { readonly const: T }[]) =>
  Type.Optional(Type.Enum(literals.map((literal) => literal.const)))

/** A page of the jobs of a model, a kind or a state, or of all. */
export const JobsQuery = Type.Object(
  {
    ...PageQuery.properties,
    model: Type.Optional(Type.String({ pattern: namePattern })),
    kind: oneOf(kind.anyOf),
    state: oneOf(state.anyOf),
  },
  { additionalProperties: false },
)
