import type { Family } from '../family.ts'
import { type MemberModel, type MemberSpec, members } from '../members.ts'
import { mstl } from '../mstl/family.ts'
import type { MstlModel } from '../mstl/model.ts'
import type { MstlSpec } from '../mstl/spec.ts'

/** What a combination may be made of. */
type PartSpec = MemberSpec | MstlSpec
export type PartModel = MemberModel | MstlModel
export type Part = Family<PartSpec, PartModel>

const all: readonly Part[] = [...members, mstl]

/** The families that members come from, by name. */
export const parts: ReadonlyMap<string, Part> = new Map(all.map((family) => [family.name, family]))

/** The family of a member's model. */
export function partOf(model: PartModel): Part {
  return parts.get(model.family)!
}
