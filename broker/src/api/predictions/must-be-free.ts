import { type Files, Refused } from '@almanac/shared'

/**
 * Known before hours are spent on what could not be written: in a folder a name cannot be that of
 * a file and of a folder. Throws a 409.
 */
export async function mustBeFree(files: Files, into: string, signal: AbortSignal): Promise<void> {
  if (files.bucket !== null) return
  const within = await files.list({ prefix: `${into}/`, after: null, limit: 1 }, signal)
  if (within.files.length > 0) throw taken(`${into} is a folder`)
  const parts = into.split('/')
  for (let count = 1; count < parts.length; count += 1) {
    const above = parts.slice(0, count).join('/')
    if ((await files.info(above, signal)) !== undefined) throw taken(`${above} is a file`)
  }
}

const taken = (what: string) =>
  new Refused(409, 'name-taken', `${what}: nothing can be written there.`, {
    field: '/into',
    remedy: 'Choose another name, like predicted/rows.csv.',
  })
