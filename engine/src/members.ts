import { arima } from './arima/family.ts'
import type { ArimaModel } from './arima/model.ts'
import type { ArimaSpec } from './arima/spec.ts'
import type { Family } from './family.ts'

/**
 * The families that stand alone. A family that is made of others (MSTL, automatic) takes its parts
 * from here, and is itself listed in `families.ts`.
 */
export type MemberSpec = ArimaSpec
export type MemberModel = ArimaModel

export const members: readonly Family<MemberSpec, MemberModel>[] = [arima]
