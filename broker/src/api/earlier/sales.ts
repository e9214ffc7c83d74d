import { codec, decodeTableSource, limits, Refused } from '@almanac/shared'
import { escaped, type GivenRecipe } from '@almanac/tables/recipe'
import { type Static, Type } from 'typebox'
import { refusalOfNode } from '../../routing/ask-shard.ts'
import type { ApiParts } from '../parts.ts'
import { recordOf } from '../predictions/question.ts'
import { readAsk } from '../question.ts'
import type { DateRange } from './date-range.ts'

/** What will be sold of a product, with an interval that has it in 95 of 100 cases. */
type Sale = {
  readonly date: string
  readonly 'predicted sales': number
  readonly lower: number
  readonly upper: number
}

type SalesAsk = {
  readonly model: string
  readonly productId: string
  readonly range: DateRange
}

const Forecast = Type.Object({
  data: Type.Array(Type.Number()),
  timestamps: Type.Array(Type.String()),
  intervals: Type.Array(
    Type.Object({ lower: Type.Array(Type.Number()), upper: Type.Array(Type.Number()) }),
  ),
})
const forecasts = codec(Forecast)

/**
 * The forecast of a product over some dates, by the version that serves. Throws `Refused` where
 * there is none: 404 for a product that is not in the data, 409 as long as nothing was trained.
 */
export async function salesOf(
  parts: ApiParts,
  { model, productId, range }: SalesAsk,
  requestId: string,
  signal: AbortSignal,
): Promise<readonly Sale[]> {
  const { tenant, forecaster } = parts
  const serving = {
    tenant,
    model,
    horizon: 1,
    query: '',
    version: 'serving',
    atLeast: null,
  } as const
  const version = await forecaster
    .version(serving, requestId, signal)
    .catch(told('no-such-model', notTrained))
  const { keys, frequency } = await recipeOfVersion(parts, model, version)
  const [column = ''] = keys ?? []
  const series = `${escaped(column)}=${escaped(productId)}`
  const ask = async (horizon: number) => {
    const query = { series, level: '95', timestamps: 'true', version: String(version) }
    const asked = readAsk(tenant, model, String(horizon), query)
    const outcome = await forecaster.answer(asked, requestId, signal)
    if (outcome.kind === 'forward')
      throw await Promise.reject(refusalOfNode(outcome.status, outcome.body)).catch(
        told('no-such-series', unknownProduct(productId)),
      )
    const read = forecasts.decode(outcome.answer.body.toString('utf8'))
    if (read.ok) return read.value
    throw new Refused(502, 'no-answer', `A node's forecast cannot be read: ${read.fault}`)
  }
  const { timestamps } = await ask(1)
  const steps = stepsBetween(frequency, Date.parse(timestamps[0]!), range.endMs)
  if (steps < 1) throw beforeAll(timestamps[0]!)
  if (steps > limits.horizonMax) throw tooFar(frequency)
  const whole = await ask(steps)
  return salesIn(whole, range, frequency)
}

function salesIn(
  { data, timestamps, intervals: [band] }: Static<typeof Forecast>,
  { startMs, endMs }: DateRange,
  frequency: GivenRecipe['frequency'],
): readonly Sale[] {
  return timestamps.flatMap((time, i) => {
    const ms = Date.parse(time)
    if (ms < startMs || ms > endMs) return []
    const date = frequency === 'hourly' ? time : time.slice(0, 10)
    const [lower, upper] = [band!.lower[i]!, band!.upper[i]!]
    return [{ date, 'predicted sales': data[i]!, lower, upper }]
  })
}

async function recipeOfVersion(
  parts: ApiParts,
  model: string,
  version: number,
): Promise<GivenRecipe> {
  const record = await recordOf(parts, { tenant: parts.tenant, model }, version)
  const id = record.table?.source
  if (id === undefined) throw notTrained
  const signal = AbortSignal.timeout(parts.bounds.storeCallMs)
  const bytes = await parts.store.readBlob({ kind: 'dataset', id }, signal)
  const source = decodeTableSource(bytes)
  // It was checked when the version was begun.
  if (source.ok) return source.value.recipe as GivenRecipe
  throw new Refused(500, 'unreadable', `What ${model} was trained on cannot be read.`)
}

const hourMs = 3_600_000

/** Steps of a forecast that begins at one time, up to another one. */
function stepsBetween(frequency: GivenRecipe['frequency'], firstMs: number, endMs: number): number {
  const [first, end] = [new Date(firstMs), new Date(endMs)]
  const years = end.getUTCFullYear() - first.getUTCFullYear()
  const months = 12 * years + end.getUTCMonth() - first.getUTCMonth()
  const every = (ms: number) => Math.floor((endMs - firstMs) / ms) + 1
  if (endMs < firstMs) return 0
  switch (frequency) {
    case 'hourly':
      return every(hourMs)
    case 'daily':
      return every(24 * hourMs)
    case 'weekly':
      return every(7 * 24 * hourMs)
    case 'monthly':
      return months + 1
    case 'quarterly':
      return Math.floor(months / 3) + 1
    case 'yearly':
      return years + 1
  }
}

/** One refusal in other words. */
const told = (code: string, instead: Refused) => (error: unknown) => {
  throw error instanceof Refused && error.code === code ? instead : error
}

const notTrained = new Refused(409, 'not-trained', 'Nothing was trained on this yet.', {
  remedy: 'Train it first, by POST /trainModel or POST /dataPrep, and wait until that is done.',
})

const unknownProduct = (productId: string) =>
  new Refused(
    404,
    'no-such-product',
    `There is no product ${productId.slice(0, 100)} in the data.`,
    {
      field: '/productId',
    },
  )

const beforeAll = (first: string) =>
  new Refused(422, 'before-forecast', `Forecasts begin at ${first}, after the dates.`, {
    field: '/dates',
    remedy: 'Ask for later dates: what was before is in the data.',
  })

const tooFar = (frequency: string) =>
  new Refused(422, 'too-far', `The dates end after ${limits.horizonMax} ${frequency} steps.`, {
    field: '/dates',
  })
