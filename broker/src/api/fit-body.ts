import {
  type AnySpec,
  type Bounds,
  checkSeries,
  describedSeries,
  parseSpec,
  type Refusal,
} from '@almanac/engine'
import { encodeDataset, isRegression, limits } from '@almanac/shared'
import { parseRecipe } from '@almanac/tables/recipe'
import { parseRegression, type StoredRegression } from '@almanac/tables/regress'
import type { FitData } from '../jobs/store-data.ts'
import { outsideBounds, readBounds } from './bounds-body.ts'
import { readManySeries } from './many-series-body.ts'
import { type BodyFault, fault, readObject, readSeries, type SeriesBody } from './series-body.ts'
import { readTable } from './table-body.ts'

/** A fit's body, checked: what the store keeps and what the version says. */
export type FitBody = {
  readonly kind: 'fit'
  readonly data: FitData
  readonly spec: AnySpec | StoredRegression
  /** Of its forecasts; undefined: none. */
  readonly bounds: Bounds | undefined
}

const bodyFields = ['data', 'series', 'table', 'spec', 'bounds']
const seriesFields = ['key', 'start', 'frequency', 'timezone', 'y']

/** Reads the bytes of a fit's body. Never throws; the first fault is told. Pure. */
export function readFitBody(bytes: Uint8Array): FitBody | BodyFault {
  const body = readObject(bytes, bodyFields)
  if (body.kind === 'fault') return body
  const { series: many, data, table, spec: given } = body.value
  const read = readBounds(body.value.bounds)
  if ('kind' in read) return read
  const { value: bounds } = read
  if (table !== undefined) {
    if (data !== undefined || many !== undefined)
      return fault('data-and-table', 'The body has a table and data; send one of them.', {
        field: '/table',
      })
    const source = readTable(table)
    if (source.kind === 'fault') return source
    const spec = isRegression(given) ? regressionOf(given, source.recipe) : specOfTable(given)
    return 'kind' in spec ? spec : { kind: 'fit', data: source, spec: spec.value, bounds }
  }
  if (isRegression(given)) return noTable
  if (Array.isArray(many) && many.length > 1 && data === undefined) {
    const series = readManySeries(many, seriesFields)
    if (series.kind === 'fault') return series
    const spec = checkedSpec(given)
    return 'kind' in spec ? spec : { kind: 'fit', data: series, spec: spec.value, bounds }
  }
  const series = readSeries(body.value, seriesFields)
  return 'kind' in series ? series : checked(series, given, bounds)
}

/** A spec with its defaults, or what is wrong with it. */
export function checkedSpec(given: unknown): Spec<AnySpec> {
  const spec = parseSpec(given)
  if (spec.kind === 'refused')
    return refusedByEngine(spec.reason, 400, `/spec${spec.reason.field ?? ''}`)
  return tooLarge(spec.value) ?? { value: spec.value }
}

/** The engine, which knows series only, names no regression. */
function specOfTable(given: unknown): Spec<AnySpec> {
  const spec = checkedSpec(given)
  if (!('kind' in spec) || spec.code !== 'unknown-family') return spec
  return {
    ...spec,
    remedy: `${spec.remedy ?? ''} Rows of a table can have regression, too.`.trim(),
  }
}

const noTable = fault('table', 'A regression is fitted to the rows of a table.', {
  field: '/table',
  remedy: 'Upload a file, and name it with a recipe: {"table": {"file", "recipe"}, "spec": …}.',
})

/** The recipe was read before. */
function regressionOf(given: unknown, table: unknown): Spec<StoredRegression> {
  const recipe = parseRecipe(table)
  const parsed = recipe.kind === 'done' ? parseRegression(given, recipe.value) : recipe
  if (parsed.kind === 'done') return tooLarge(parsed.value) ?? { value: parsed.value }
  const [first] = parsed.faults
  return fault('spec', `The spec cannot be used. ${first?.detail ?? ''}`.trim(), {
    field: `/spec${first?.field ?? ''}`,
    ...(first ? { remedy: first.remedy } : {}),
  })
}

type Spec<T> = { readonly value: T } | BodyFault

function checked(
  series: SeriesBody,
  given: unknown,
  bounds: Bounds | undefined,
): FitBody | BodyFault {
  const spec = checkedSpec(given)
  if ('kind' in spec) return spec
  const { key, start, frequency, timezone } = series
  const refusal = checkSeries(describedSeries(series), spec.value)
  if (refusal?.code === 'missing-regressor') return noRegressors(refusal)
  if (refusal) return refusedByEngine(refusal, 422, fieldOf(refusal, series))
  const outside = outsideBounds(series.y, bounds, series.field)
  if (outside) return outside
  const zone = timezone === null ? {} : { timezone }
  const stored = { key, start, frequency, ...zone, y: series.y as (number | null)[] }
  const dataset = new Uint8Array(encodeDataset({ format: 1, series: [stored] }))
  const data = { kind: 'one', dataset, observations: series.y.length } as const
  return { kind: 'fit', data, spec: spec.value, bounds }
}

function refusedByEngine(
  { code, detail, remedy }: Refusal,
  status: number,
  field: string,
): BodyFault {
  return fault(code, detail, { field, ...(remedy ? { remedy } : {}) }, status)
}

/** The coordinator keeps the spec of every version, and takes no more of it. */
function tooLarge(spec: object): BodyFault | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(spec))
  if (bytes <= limits.specBytesMax) return undefined
  const detail = `The spec with its defaults is ${bytes} bytes of JSON, more than ${limits.specBytesMax}.`
  return fault('too-large', detail, { field: '/spec', remedy: 'Send fewer dates or names.' })
}

function noRegressors({ code, detail }: Refusal): BodyFault {
  const remedy = 'Take them out of the spec: a body cannot carry regressors, for now.'
  return fault(code, detail, { field: '/spec/regressors', remedy }, 422)
}

/** The engine speaks of its own series, and of fields of the spec: where did the client say it? */
function fieldOf({ field = '' }: Refusal, { field: y }: SeriesBody): string {
  const [, part, inside = ''] = /^\/(y|seasons|calendar)(?=\/|$)(.*)$/.exec(field) ?? []
  if (field === '') return y
  if (part === undefined) return `/spec${field}`
  if (part === 'y') return `${y}${inside}`
  return y.replace(/y$/, part === 'calendar' ? 'start' : 'frequency')
}
