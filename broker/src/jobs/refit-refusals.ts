import { type ModelName, Refused } from '@almanac/shared'

/** Data that is not there any more. */
export function collected({ model }: ModelName, version: number): Refused {
  const detail = `The data of version ${version} of ${model} is not kept any more.`
  const remedy = 'Send all of it: POST /api/models/{model}/fit.'
  return new Refused(410, 'collected', detail, { remedy })
}
