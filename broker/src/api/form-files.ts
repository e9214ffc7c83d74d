import type { Readable } from 'node:stream'
import { limits, Stalled } from '@almanac/shared'
import { Busboy } from '@fastify/busboy'

/** A body that is no `multipart/form-data`, or has more of anything than may be. */
export class BadForm extends Error {
  override name = 'BadForm'
}

export type FormFile = { readonly fileName: string; readonly content: Readable }

/** Of what is no file, and not looked at. */
const fieldsMax = 100
const fieldBytesMax = 1_024
const partHeadersMax = 20
/** The parser waits for ever for a part whose headers are broken. */
const endMs = 1_000

/**
 * The files of a form, in order; each has to be read before the next one comes. Throws `BadForm`,
 * as their contents do where a form has too much; those that end too early throw any other error.
 */
export async function* formFiles(
  body: Readable,
  contentType: string,
): AsyncGenerator<FormFile, void, undefined> {
  const parser = parserOf(contentType)
  const come: FormFile[] = []
  const open = new Set<Readable>()
  let isWhole = false
  let failure: Error | undefined
  let wake = () => {}
  const fail = (error: Error, ofContent = error) => {
    failure ??= error
    for (const content of open) content.destroy(ofContent)
    wake()
  }
  parser.on('file', (_field, content, fileName) => {
    open.add(content)
    content.once('close', () => open.delete(content))
    // Told once, and for good: its reader may not listen yet, and would take half for all of it.
    content.on('error', (error) => content.destroy(error))
    come.push({ fileName, content })
    wake()
  })
  parser.on('filesLimit', () => fail(new BadForm(`more than ${limits.formFilesMax} files`)))
  parser.on('partsLimit', () => fail(new BadForm('too many parts')))
  parser.on('fieldsLimit', () => fail(new BadForm('too many parts')))
  parser.on('error', (error: unknown) => {
    const { message } = error instanceof Error ? error : new Error('broken')
    // Of what is read just now it is the end that is missing, whatever that makes of the form.
    fail(new BadForm(message.slice(0, 200)), new Error(message))
  })
  parser.on('finish', () => {
    isWhole = true
    wake()
  })
  body.on('error', (error) => parser.destroy(error))
  body.once('end', () => wake())
  body.pipe(parser)
  try {
    for (;;) {
      if (failure) throw failure
      const next = come.shift()
      if (next) yield next
      else if (isWhole) return
      else
        await new Promise<void>((resolve) => {
          const timer = body.readableEnded
            ? setTimeout(() => fail(new BadForm('a part has no end')), endMs)
            : setTimeout(() => fail(late), limits.fileIdleMs)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
    }
  } finally {
    body.unpipe(parser)
    parser.destroy()
  }
}

const late = new Stalled(`no file came for ${limits.fileIdleMs} ms`)

function parserOf(contentType: string) {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits: {
        files: limits.formFilesMax,
        fields: fieldsMax,
        parts: limits.formFilesMax + fieldsMax,
        fieldSize: fieldBytesMax,
        headerPairs: partHeadersMax,
        headerSize: limits.headersBytesMax,
      },
    })
  } catch (error) {
    throw new BadForm((error as Error).message.slice(0, 200))
  }
}
