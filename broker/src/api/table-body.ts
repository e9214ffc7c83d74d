import { isFileName } from '@almanac/shared'
import { parseRecipe } from '@almanac/tables/recipe'
import type { FitData } from '../jobs/store-data.ts'
import { type BodyFault, fault, isObject } from './series-body.ts'

type Table = Extract<FitData, { readonly kind: 'table' }>

const fields = ['file', 'recipe']

/** The table of a fit's body: which file, and how its rows become series. */
export function readTable(given: unknown): Table | BodyFault {
  if (!isObject(given))
    return fault('table', 'table must be an object with a file and a recipe.', { field: '/table' })
  const stranger = Object.keys(given).find((name) => !fields.includes(name))
  if (stranger !== undefined)
    return fault(
      'unknown-field',
      `There is no field ${JSON.stringify(stranger.slice(0, 100))} here.`,
      {
        field: `/table/${stranger.slice(0, 100)}`,
        remedy: `The fields are ${fields.join(', ')}.`,
      },
    )
  const { file, recipe } = given
  if (typeof file !== 'string' || !isFileName(file))
    return fault('file', 'file must be the name of a file.', {
      field: '/table/file',
      remedy: 'Upload it first: PUT /api/files/{name}.',
    })
  const parsed = parseRecipe(recipe)
  if (parsed.kind === 'done') return { kind: 'table', file, recipe }
  const [first] = parsed.faults
  return fault('recipe', `The recipe cannot be used. ${first?.detail ?? ''}`.trim(), {
    field: `/table/recipe${first?.field ?? ''}`,
    ...(first ? { remedy: first.remedy } : {}),
  })
}
