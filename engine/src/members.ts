import { additive } from './additive/family.ts'
import type { AdditiveModel } from './additive/model.ts'
import type { AdditiveSpec } from './additive/spec.ts'
import { arima } from './arima/family.ts'
import type { ArimaModel } from './arima/model.ts'
import type { ArimaSpec } from './arima/spec.ts'
import { baseline } from './baseline/family.ts'
import type { BaselineModel } from './baseline/model.ts'
import type { BaselineSpec } from './baseline/spec.ts'
import { ces } from './ces/family.ts'
import type { CesModel } from './ces/model.ts'
import type { CesSpec } from './ces/spec.ts'
import { ets } from './ets/family.ts'
import type { EtsModel } from './ets/model.ts'
import type { EtsSpec } from './ets/spec.ts'
import type { Family } from './family.ts'
import { croston, tsb } from './intermittent/family.ts'
import type { CrostonModel, TsbModel } from './intermittent/model.ts'
import type { CrostonSpec, TsbSpec } from './intermittent/spec.ts'
import { theta } from './theta/family.ts'
import type { ThetaModel } from './theta/model.ts'
import type { ThetaSpec } from './theta/spec.ts'

/**
 * The families that stand alone. A family that is made of others (MSTL, automatic) takes its parts
 * from here, and is itself listed in `families.ts`.
 */
export type MemberSpec =
  | AdditiveSpec
  | ArimaSpec
  | BaselineSpec
  | CesSpec
  | CrostonSpec
  | EtsSpec
  | ThetaSpec
  | TsbSpec
export type MemberModel =
  | AdditiveModel
  | ArimaModel
  | BaselineModel
  | CesModel
  | CrostonModel
  | EtsModel
  | ThetaModel
  | TsbModel

export const members: readonly Family<MemberSpec, MemberModel>[] = [
  additive,
  arima,
  baseline,
  ces,
  croston,
  ets,
  theta,
  tsb,
]
