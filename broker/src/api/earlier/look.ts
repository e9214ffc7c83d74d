import { codec, type Files, isFileName, Refused } from '@almanac/shared'
import type { LookColumn, TableLook } from '@almanac/tables'
import { filesOf, findFile } from '../file-routes.ts'
import { TableLookView } from '../look-schemas.ts'
import type { ApiParts } from '../parts.ts'

export type LookParts = Pick<ApiParts, 'askLook' | 'files' | 'bounds'>

/** What is asked of a look. */
export type Look = Pick<TableLook, 'recipe' | 'source'> & {
  readonly columns: readonly Column[]
}
export type Column = Pick<LookColumn, 'name' | 'type' | 'timeFormats'> & {
  readonly examples: readonly string[]
}

/** The name of a file, which is not a path of anything else. Throws a 400. */
export function readFileField(name: string, field: string): string {
  if (isFileName(name)) return name
  throw new Refused(400, 'file', `${field} is not the name of a file.`, {
    field: `/${field}`,
    remedy: 'Name an uploaded file, like sales/2024.csv: PUT /api/files/{name}.',
  })
}

/** The bucket of a request must be that of the files, where they are in one. */
export function checkBucket({ bucket }: Files, given: string | undefined): void {
  if (bucket === null || given === undefined || given === bucket.name) return
  throw new Refused(422, 'another-bucket', 'Files are read from the bucket of --files only.', {
    field: '/Bucket',
    remedy: 'Leave it out, or put the file there by POST /upload or PUT /api/files/{name}.',
  })
}

/** What the beginning of a file says about it. Throws a 422 where there is no such table. */
export async function lookAtFile(
  parts: LookParts,
  file: string,
  field: string,
  requestId: string,
): Promise<Look> {
  const atField = (error: unknown) => {
    if (!(error instanceof Refused) || (error.status !== 404 && error.status !== 422)) throw error
    const { code, message } = error
    const remedy = error.remedy ?? (code === 'no-such-file' ? toUpload : undefined)
    throw new Refused(422, code, message, { field: `/${field}`, ...(remedy ? { remedy } : {}) })
  }
  await findFile(filesOf(parts), file).catch(atField)
  const signal = AbortSignal.timeout(parts.bounds.lookMs)
  const body = await parts.askLook({ file }, requestId, signal).catch(atField)
  const look = looks.decode(body.toString('utf8'))
  if (!look.ok) throw new Refused(503, 'no-node', 'The node that looked at it said nothing known.')
  const { columns, recipe, source } = look.value
  // Whoever makes a recipe of them has it checked.
  return { columns, recipe: recipe as Look['recipe'], source: source as Look['source'] }
}

const toUpload =
  'Upload it first: PUT /api/files/{name}. What POST /upload stores begins with uploads/.'

const looks = codec(TableLookView)
