import { type ModelName, modelId, Refused, type ShardIndex } from '@almanac/shared'
import { readIndex } from '../routing/read-index.ts'
import type { ApiParts } from './parts.ts'

/** The index of a version of many series. Throws where there is none, or it cannot be read. */
export async function findIndex(
  { state, indexes }: Pick<ApiParts, 'state' | 'indexes'>,
  of: ModelName,
  version: number,
): Promise<ShardIndex> {
  const name = `Version ${version} of ${of.model}`
  const record = state().versions.get(modelId(of))?.get(version)?.value
  if (record === undefined)
    throw new Refused(503, 'not-ready', `${name} has not been seen here yet.`, {
      retryAfterSeconds: 1,
    })
  if (record.series === undefined)
    throw new Refused(422, 'one-series', `${name} has one series, without a key.`, {
      remedy: 'Ask for its forecast: GET /api/models/{model}/forecast/{horizon}.',
    })
  return await readIndex(indexes, of, record)
}
