import { type Static, Type } from 'typebox'
import { codec, type Decoded } from './codec.ts'

/** The blob that says which table a version is made of, and how. */
export const TableSource = Type.Object({
  format: Type.Literal(1),
  file: Type.String({ maxLength: 300 }),
  /** As the client gave it; checked by who reads the table. */
  recipe: Type.Unknown(),
})
export type TableSource = Static<typeof TableSource>

const texts = codec(TableSource)

export function encodeTableSource(source: TableSource): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(new TextEncoder().encode(texts.encode(source)))
}

export function decodeTableSource(bytes: Uint8Array): Decoded<TableSource> {
  return texts.decode(new TextDecoder().decode(bytes))
}
