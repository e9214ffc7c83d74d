import { Refused } from '@almanac/shared'
import { filesOf } from './file-routes.ts'
import type { ApiParts } from './parts.ts'

/** Known before anything is begun: most who err there have not uploaded it yet. */
export async function mustHaveFile(
  parts: Pick<ApiParts, 'bounds' | 'files'>,
  file: string,
): Promise<void> {
  const signal = AbortSignal.timeout(parts.bounds.storeCallMs)
  if ((await filesOf(parts).info(file, signal)) !== undefined) return
  throw new Refused(422, 'no-such-file', `There is no file ${file}.`, {
    field: '/table/file',
    remedy: `Upload it first: PUT /api/files/${file}.`,
  })
}
