import { type FilesPlace, isFileName, Refused } from '@almanac/shared'
import { readModelName } from '../api/question.ts'
import { fileOfUrl } from './file-urls.ts'

/** What a message asks for: the fit of a table, or only that a file be known to be there. */
export type MessageBody =
  | {
      readonly kind: 'fit'
      readonly model: string
      readonly file: string
      readonly recipe: unknown
      readonly spec: unknown
      readonly bounds: unknown
    }
  | { readonly kind: 'announced'; readonly file: string }

const fields = ['url', 'file', 'model', 'recipe', 'spec', 'bounds']
const text = new TextDecoder('utf-8', { fatal: true })

/** Reads a message. Throws `Refused` with the field at fault, as a pointer into the message. */
export function readMessage(bytes: Uint8Array, place: FilesPlace | null): MessageBody {
  const body = objectIn(bytes)
  const stranger = Object.keys(body).find((name) => !fields.includes(name))
  if (stranger !== undefined) {
    const named = stranger.slice(0, 100)
    throw new Refused(400, 'unknown-field', `There is no field ${JSON.stringify(named)} here.`, {
      field: `/${named}`,
      remedy: `The fields are ${fields.join(', ')}.`,
    })
  }
  const file = fileIn(body, place)
  const { model, recipe, spec, bounds } = body
  if ([model, recipe, spec, bounds].every((part) => part === undefined))
    return { kind: 'announced', file }
  if (model === undefined) throw missing('model', 'Say for which model the fit is.')
  if (typeof model !== 'string') throw fault('model', 'model must be a text.')
  if (recipe === undefined) throw missing('recipe', 'Say how its rows become series.')
  return { kind: 'fit', model: modelIn(model), file, recipe, spec, bounds }
}

/** That a message was wrong in this field, however deep. */
const missing = (field: string, remedy: string) =>
  new Refused(422, `no-${field}`, `The message has no ${field}.`, { field: `/${field}`, remedy })

const fault = (field: string, detail: string) =>
  new Refused(400, 'invalid', detail, { field: `/${field}` })

function objectIn(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text.decode(bytes))
  } catch (error) {
    const detail = `The message is not JSON: ${(error as Error).message}`
    throw new Refused(400, 'not-json', detail)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw new Refused(400, 'not-json', 'The message must be an object of JSON.')
}

function fileIn(
  { file, url }: Readonly<Record<string, unknown>>,
  place: FilesPlace | null,
): string {
  if (file !== undefined && url !== undefined)
    throw fault('url', 'The message has a file and a url; send one of them.')
  if (url !== undefined) {
    if (typeof url !== 'string') throw fault('url', 'url must be a text.')
    return fileOfUrl(url, place)
  }
  if (file === undefined) throw missing('file', 'Upload it first, by PUT /api/files/{name}.')
  if (typeof file === 'string' && isFileName(file)) return file
  throw fault('file', 'file must be the name of a file.')
}

function modelIn(model: string): string {
  try {
    return readModelName(model)
  } catch (error) {
    throw fault('model', (error as Error).message)
  }
}
