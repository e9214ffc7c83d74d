import type { Readable } from 'node:stream'
import {
  type Files,
  isFileName,
  limits,
  NameTaken,
  Refused,
  Stalled,
  TooLarge,
  Unavailable,
  type WrittenFile,
} from '@almanac/shared'
import type { BrokerMetrics } from '../server/metrics.ts'
import { BadForm, formFiles } from './form-files.ts'

const nameRule =
  'a name like sales/2024.csv.gz: at most 200 letters, digits, dots, dashes, underscores and ' +
  'slashes, of which no part begins with a dot'

export function readFileName(name: string): string {
  if (isFileName(name)) return name
  const shown = JSON.stringify(name.slice(0, limits.pathPartCharactersMax))
  throw new Refused(400, 'invalid', `name must be ${nameRule}. It is ${shown}.`, {
    field: 'name',
    remedy: 'Give it another name, as curl -F "file=@My sales.csv;filename=my-sales.csv" does.',
  })
}

/** Before any of it is read, where the client says how long it is. */
export function refuseLarge({ bytesMax }: Files, contentLength: string | undefined): void {
  if (Number(contentLength ?? 0) > bytesMax) throw tooLarge(bytesMax)
}

const tooLarge = (bytesMax: number) =>
  new Refused(413, 'file-too-large', `A file has at most ${bytesMax} bytes here.`, {
    remedy: 'Compress it or cut it into several, or raise --file-mb-max.',
  })

export type UploadParts = {
  readonly files: Files
  readonly metrics: Pick<BrokerMetrics, 'uploads' | 'uploadBytes'>
}

/** Stores a body as one file. Throws a refusal, and then nothing of it is kept. */
export async function storeOne(
  { files, metrics }: UploadParts,
  name: string,
  body: AsyncIterable<Uint8Array>,
): Promise<WrittenFile> {
  const came = { bytes: 0 }
  const count = (outcome: string) => {
    metrics.uploads.inc({ outcome })
    metrics.uploadBytes.inc({ outcome }, came.bytes)
  }
  // Whoever leaves takes the body along; a whole one is stored whether they wait or not.
  const { signal } = new AbortController()
  try {
    const written = await files.write(name, arriving(body, name, came), signal)
    count('stored')
    return written
  } catch (error) {
    const refusal = refusalOf(error)
    count(outcomeOf(refusal))
    throw refusal
  }
}

/**
 * The files of a form, one after the other, each under the name that is made of its own. What is
 * stored before a mistake stays.
 */
export async function storeForm(
  parts: UploadParts,
  nameOf: (fileName: string) => string,
  body: Readable,
  contentType: string,
): Promise<readonly WrittenFile[]> {
  const stored: WrittenFile[] = []
  try {
    for await (const { fileName, content } of formFiles(body, contentType)) {
      const name = readFileName(nameOf(fileName))
      // The second would take the place of the first, which nobody could have meant.
      if (stored.some((file) => file.name === name)) throw namedTwice(name)
      stored.push(await storeOne(parts, name, content))
    }
  } catch (error) {
    throw amongOthers(refusalOf(error), stored)
  }
  if (stored.length > 0) return stored
  throw new Refused(400, 'no-body', 'The form has no file.', {
    remedy: 'Send a part with a filename, as curl -F file=@sales.csv does.',
  })
}

const namedTwice = (name: string) =>
  new Refused(400, 'name-twice', `Two files of the form are called ${name}.`, {
    field: 'name',
    remedy: 'Give them different names, or send each with a prefix of its own.',
  })

/** The bytes as they come: not none, not too slowly, and not without their end. */
async function* arriving(body: AsyncIterable<Uint8Array>, name: string, came: { bytes: number }) {
  const { fileIdleMs, uploadRateMin } = limits
  let waitedMs = 0
  let askedMs = performance.now()
  try {
    for await (const piece of body) {
      waitedMs += performance.now() - askedMs
      came.bytes += piece.byteLength
      if (waitedMs > fileIdleMs + (came.bytes / uploadRateMin) * 1_000)
        throw new Stalled(`less than ${uploadRateMin} bytes a second came`)
      yield piece
      askedMs = performance.now()
    }
  } catch (error) {
    if (error instanceof Refused || error instanceof Stalled || error instanceof BadForm)
      throw error
    throw new Refused(400, 'cut-off', `${name} ended before its end; nothing of it is kept.`)
  }
  if (came.bytes === 0)
    throw new Refused(400, 'no-body', `There are no bytes for ${name}.`, {
      remedy: 'Send the file as the body, as curl -T sales.csv does.',
    })
}

function refusalOf(error: unknown): unknown {
  if (error instanceof TooLarge) return tooLarge(error.bytesMax)
  if (error instanceof Stalled)
    return new Refused(408, 'too-slow', `The body does not come: ${error.message}.`)
  if (error instanceof NameTaken)
    return new Refused(409, 'name-taken', `${error.message}.`, { field: 'name' })
  if (error instanceof BadForm)
    return new Refused(
      400,
      'not-a-form',
      `The body is not a form with files: ${reasonOf(error)}.`,
      {
        remedy: 'Send it as curl -F file=@sales.csv does.',
      },
    )
  return error
}

/** Some of the parser's end in a full stop. */
const reasonOf = ({ message }: BadForm) => message.replace(/\.$/, '')

function outcomeOf(error: unknown): string {
  // The codes are those of this file: few.
  if (error instanceof Refused) return error.code
  return error instanceof Unavailable ? 'unavailable' : 'failed'
}

/** Of several files those before the mistake are there: so that nobody has to look. */
function amongOthers(error: unknown, stored: readonly WrittenFile[]): unknown {
  if (!(error instanceof Refused) || stored.length === 0) return error
  const { status, code, message, field, remedy } = error
  const shown = stored.slice(0, 10).map(({ name }) => name)
  const names = `${shown.join(', ')}${stored.length > shown.length ? ', …' : ''}`
  const detail = `${message} Stored before it: ${names}.`
  return new Refused(status, code, detail, {
    ...(field === undefined ? {} : { field }),
    ...(remedy === undefined ? {} : { remedy }),
  })
}
