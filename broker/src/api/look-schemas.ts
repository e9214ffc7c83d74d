import { Type } from 'typebox'
import { FileName, nullable } from './schemas.ts'

export const LookRequest = Type.Object(
  {
    file: FileName,
    source: Type.Optional(
      Type.Unknown({ description: 'How it is written, as a recipe says it; else it is guessed.' }),
    ),
  },
  { additionalProperties: false },
)
const Format = Type.Union([Type.Literal('csv'), Type.Literal('ndjson'), Type.Literal('parquet')])
export const TableLookView = Type.Object({
  file: FileName,
  sizeBytes: Type.Integer(),
  format: Format,
  compression: nullable(Type.Literal('gzip')),
  encoding: nullable(Type.String()),
  delimiter: nullable(Type.String()),
  rowsRead: Type.Integer({ description: 'Rows of its beginning, of which the columns tell.' }),
  columns: Type.Array(
    Type.Object({
      name: Type.String(),
      type: Type.Union([Type.Literal('time'), Type.Literal('number'), Type.Literal('text')]),
      timeFormats: Type.Array(Type.String(), { description: 'Those that fit all of its times.' }),
      decimal: Type.Union([Type.Literal('.'), Type.Literal(',')]),
      distinct: Type.Integer(),
      missingShare: Type.Number({ description: 'From 0 to 1.' }),
      examples: Type.Array(Type.String()),
    }),
  ),
  rows: Type.Array(Type.Array(nullable(Type.String()))),
  recipe: nullable(Type.Unknown({ description: 'What a fit takes; null where none suits.' })),
  source: Type.Unknown(),
  notes: Type.Array(Type.String(), { description: 'What was guessed without being sure.' }),
})
