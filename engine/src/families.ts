import { arimaDefaults } from './arima/spec.ts'
import type { Family } from './family.ts'
import { type MemberModel, type MemberSpec, members } from './members.ts'

/** Families that stand alone are added in `members.ts`, those that are made of others here. */
export type AnySpec = MemberSpec
export type AnyModel = MemberModel

/** All families by name. */
export const families: ReadonlyMap<string, Family<AnySpec, AnyModel>> = new Map(
  [...members].map((family) => [family.name, family]),
)

/** The model that is fitted when nobody asks for another. */
export const defaultSpec: AnySpec = arimaDefaults
