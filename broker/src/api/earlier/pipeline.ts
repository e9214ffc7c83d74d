import { type FilesBucket, isFileName, Refused } from '@almanac/shared'
import { type GivenRecipe, parseRecipe } from '@almanac/tables/recipe'
import { parseRegression } from '@almanac/tables/regress'
import type { Allocated, Idempotency } from '../../jobs/allocate.ts'
import { filesOf } from '../file-routes.ts'
import type { ApiParts } from '../parts.ts'
import type { Derive } from '../predictions/csv.ts'
import { type Look, type LookParts, lookAtFile } from './look.ts'
import { checked, formatOf, plain, sourceOf } from './roles.ts'

/** The one model of the sales pipeline, as there was one. */
export const pipelineModel = 'sales-pipeline'

const [product, store, quantity, date] = ['product_id', 'store_id', 'quantity', 'date']

/** What training on a file takes. */
export type PipelineParts = LookParts & Pick<ApiParts, 'fits' | 'tenant'>

/**
 * Begins the training of a random forest on month, year, store and product: a durable job. Throws a
 * 422 where the file has not what it takes.
 */
export async function trainPipeline(
  parts: PipelineParts,
  file: string,
  requestId: string,
  idempotency: Idempotency | null = null,
): Promise<Allocated & { readonly model: string }> {
  const recipe = recipeOfSales(await lookAtFile(parts, file, 'file', requestId))
  const spec = specOf(recipe)
  const of = { tenant: parts.tenant, model: pipelineModel }
  const data = { kind: 'table', file, recipe } as const
  const allocated = await parts.fits.begin({ of, data, spec, requestId, idempotency })
  return { ...allocated, model: pipelineModel }
}

/** Names and other fields play no part, and quantities are summed by store, product and month. */
function recipeOfSales(look: Look): GivenRecipe {
  const { columns } = look
  const needed = [product, store, quantity, date]
  const found = needed.map((name) => columns.find((column) => plain(column.name) === plain(name)))
  const missing = needed.filter((_, i) => found[i] === undefined)
  if (missing.length > 0)
    throw new Refused(422, 'missing-columns', `The file lacks ${missing.join(', ')}.`, {
      field: '/file',
      remedy: 'Its columns are product_id, store_id, quantity and date; others are not looked at.',
    })
  const [ofProduct, ofStore, ofQuantity, ofDate] = found.map((column) => column!)
  return checked({
    source: sourceOf(look),
    time: { column: ofDate!.name, format: formatOf(ofDate!, undefined) },
    target: ofQuantity!.name,
    keys: [ofStore!.name, ofProduct!.name],
    frequency: 'monthly',
    aggregate: 'sum',
  })
}

function specOf(recipe: GivenRecipe) {
  const parsed = parseRecipe(recipe)
  const { column } = recipe.time
  const [storeName = '', productName = ''] = recipe.keys ?? []
  const features = [
    { column, type: 'month' },
    { column, type: 'year' },
    { column: storeName, type: 'category' },
    { column: productName, type: 'category' },
  ]
  const given = { family: 'regression', features, model: { kind: 'forest' } }
  const spec = parsed.kind === 'done' ? parseRegression(given, parsed.value) : parsed
  if (spec.kind === 'done') return spec.value
  throw new Refused(422, 'recipe', `The file cannot be trained on: ${spec.faults[0]?.detail}`)
}

/**
 * Names of columns are compared as at the training. Rows of the cleaned data had a year and a month
 * in place of a date.
 */
export const columnsOfSales: Derive = (header, columns) => {
  const derived = new Map<string, (values: readonly string[]) => string>()
  for (const column of columns) {
    if (header.includes(column)) continue
    const places = placesOf(header, column)
    if (places.length === 1) derived.set(column, (values) => values[places[0]!] ?? '')
    if (places.length > 0 || plain(column) !== plain(date)) continue
    const [[year], [month]] = [placesOf(header, 'year'), placesOf(header, 'month')]
    if (year !== undefined && month !== undefined) derived.set(column, dateOf(year, month))
  }
  return derived
}

const placesOf = (header: readonly string[], column: string) =>
  header.flatMap((name, i) => (plain(name) === plain(column) ? [i] : []))

const dateOf = (year: number, month: number) => (values: readonly string[]) => {
  const [y = '', m = ''] = [values[year]?.trim(), values[month]?.trim()]
  return y === '' || m === '' ? '' : `${y}-${m.padStart(2, '0')}-01`
}

/**
 * The file that a URL or a name means. Nothing is ever fetched: a URL is one that this service
 * gave, or one of the bucket of its files. Throws a 422.
 */
export function fileOfUrl(parts: ApiParts, url: string, field: string): string {
  const { bucket } = filesOf(parts)
  const name = isFileName(url) ? url : (nameInApi(url) ?? nameInBucket(url, bucket))
  if (name !== undefined && isFileName(name)) return name
  throw new Refused(422, 'url', `${field} does not lead to a file that is kept here.`, {
    field: `/${field}`,
    remedy: 'Upload it by POST /upload and send the url of the answer, or its name.',
  })
}

function nameInApi(url: string): string | undefined {
  return /^(?:https?:\/\/[^/?#]+)?\/api\/files\/([^?#]+)$/.exec(url)?.[1]
}

function nameInBucket(url: string, bucket: FilesBucket | null): string | undefined {
  if (bucket === null) return undefined
  const start = `s3://${bucket.name}/${bucket.prefix}`
  return url.startsWith(start) ? url.slice(start.length) : undefined
}
