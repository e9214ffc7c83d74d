import { isFileName, Refused } from '@almanac/shared'

/** From which file into which. */
export type FileAsk = { readonly file: string; readonly into: string }

const fields = ['file', 'into']

/** Whether a body asks about a file, and not about rows. */
export const asksForFile = (body: unknown): body is Readonly<Record<string, unknown>> =>
  typeof body === 'object' && body !== null && ('file' in body || 'into' in body)

/** Throws a 400 that names the field, below `at`. */
export function readFileAsk(body: Readonly<Record<string, unknown>>, at = ''): FileAsk {
  const stranger = Object.keys(body).find((name) => !fields.includes(name))
  if (stranger !== undefined)
    throw new Refused(400, 'unknown-field', 'There are only fields file and into here.', {
      field: `${at}/${stranger.slice(0, 100)}`,
    })
  const [file, into] = fields.map((name) => nameIn(body, name, at))
  if (file === into)
    throw new Refused(400, 'into', 'into must be another file than file.', {
      field: `${at}/into`,
      remedy: 'What is read would be replaced: name a new one, like predicted/rows.csv.',
    })
  return { file: file!, into: into! }
}

function nameIn(body: Readonly<Record<string, unknown>>, name: string, at: string): string {
  const value = body[name]
  if (typeof value === 'string' && isFileName(value)) return value
  throw new Refused(400, name, `${name} must be the name of a file.`, {
    field: `${at}/${name}`,
    remedy: 'Send {"file": "rows.csv", "into": "predicted/rows.csv"}; PUT /api/files/{name} first.',
  })
}
