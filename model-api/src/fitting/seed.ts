import { createHash } from 'node:crypto'
import { type ModelName, modelId } from '@almanac/shared'

/** The same for every attempt at one version, so that a repeated fit gives the same model. */
export function seedOf(of: ModelName, version: number): number {
  return createHash('sha256')
    .update(`${modelId(of)}/${version}`)
    .digest()
    .readUInt32LE(0)
}
