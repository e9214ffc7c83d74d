import { arima } from './arima/family.ts'
import type { ArimaModel } from './arima/model.ts'
import { type ArimaSpec, arimaDefaults } from './arima/spec.ts'
import type { Family } from './family.ts'

/** The one place where a family is added: its spec, its model, and itself. */
export type AnySpec = ArimaSpec
export type AnyModel = ArimaModel

/** All families by name. */
export const families: ReadonlyMap<string, Family<AnySpec, AnyModel>> = new Map(
  [arima].map((family) => [family.name, family]),
)

/** The model that is fitted when nobody asks for another. */
export const defaultSpec: AnySpec = arimaDefaults
