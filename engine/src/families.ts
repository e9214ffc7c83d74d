import { automatic } from './automatic/family.ts'
import type { AutomaticModel } from './automatic/model.ts'
import { type AutomaticSpec, automaticDefaults } from './automatic/spec.ts'
import type { Family } from './family.ts'
import { type MemberModel, type MemberSpec, members } from './members.ts'
import { mstl } from './mstl/family.ts'
import type { MstlModel } from './mstl/model.ts'
import type { MstlSpec } from './mstl/spec.ts'

/** Families that stand alone are added in `members.ts`, those that are made of others here. */
export type AnySpec = MemberSpec | MstlSpec | AutomaticSpec
export type AnyModel = MemberModel | MstlModel | AutomaticModel

const all: readonly Family<AnySpec, AnyModel>[] = [...members, mstl, automatic]

/** All families by name. */
export const families: ReadonlyMap<string, Family<AnySpec, AnyModel>> = new Map(
  all.map((family) => [family.name, family]),
)

/** The model that is fitted when nobody asks for another. */
export const defaultSpec: AnySpec = automaticDefaults
