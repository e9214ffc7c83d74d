import { headers as names, Refused, shardOf } from '@almanac/shared'
import type { FastifyInstance } from 'fastify'
import type { Answers } from '../serving/answers.ts'
import { computeOnce } from '../serving/forecasts.ts'
import type { LoadedIndex, LoadedModel, LoadedVersion } from '../serving/load-version.ts'
import { type Question, readQuestion } from '../serving/question.ts'
import { modelAt } from '../serving/shard-series.ts'
import type { Shards } from '../serving/shards.ts'
import {
  type AskedVersion,
  type FindParts,
  findVersion,
  json,
  notLoaded,
  readPlace,
  type Said,
} from './find-version.ts'

export type ForecastParts = FindParts & { readonly answers: Answers; readonly shards: Shards }

/** A question as it stands in a path, not checked yet. */
export type Asked = AskedVersion & { readonly horizon: string }

/** What is said to a question; throws or rejects with a refusal. */
export type AnswerForecast = (
  asked: Asked,
  query: Readonly<Record<string, unknown>>,
) => Said | Promise<Said>

/** Under `/internal/v1`. */
export const forecastRoute = '/forecast/:tenant/:model/:version/:horizon'

/** `GET …/forecast/{tenant}/{model}/{version}/{horizon}`: exactly that version, or a 409. */
export function addForecastRoute(server: FastifyInstance, answer: AnswerForecast): void {
  server.get<{ Params: Asked; Querystring: Record<string, unknown> }>(
    forecastRoute,
    async (request, reply) => {
      const { status, headers, body } = await answer(request.params, request.query)
      for (const [field, value] of Object.entries(headers)) reply.header(field, value)
      return reply.code(status).send(body)
    },
  )
}

/** Who answers forecasts, however the question came. */
export function createForecastAnswer(parts: ForecastParts): AnswerForecast {
  return (asked, query) => {
    const place = readPlace(asked)
    const question = readQuestion(asked.horizon, query)
    const found = findVersion(parts, place, question.load)
    if (found === undefined) return notLoaded(parts.view, place)
    if (!(found instanceof Promise)) return said(found, bodyOf(parts, place.id, found, question))
    return found.then((late) =>
      late ? said(late, bodyOf(parts, place.id, late, question)) : notLoaded(parts.view, place),
    )
  }
}

function bodyOf(parts: ForecastParts, id: string, loaded: LoadedVersion, question: Question) {
  switch (loaded.kind) {
    case 'one':
      return ofModel(parts, id, loaded, question)
    case 'many':
      return ofSeries(parts, id, loaded, question)
    case 'rows':
      throw noForecast(loaded.version)
  }
}

/** What a version is told who predicts rows, and is asked for what comes next. */
export function noForecast(version: number): Refused {
  return new Refused(422, 'a-regression', `Version ${version} predicts rows of a table.`, {
    remedy: 'Send them: POST /api/models/{model}/predictions.',
  })
}

function ofModel({ answers }: ForecastParts, id: string, loaded: LoadedModel, question: Question) {
  if (question.series === null) return answers.answer(id, loaded, question)
  throw new Refused(422, 'one-series', 'This version has one series, without a key.', {
    field: 'series',
    remedy: 'Ask without series.',
  })
}

/** At once where the answer or its shard is at hand. */
function ofSeries(
  { answers, shards }: ForecastParts,
  id: string,
  { version, sha256, index, bounds }: LoadedIndex,
  question: Question,
): Buffer | Promise<Buffer> {
  const { series } = question
  if (series === null)
    throw new Refused(422, 'series-missing', 'This version has many series.', {
      field: 'series',
      remedy: 'Name one, as series=KEY; /api/models/{model}/forecasts/{horizon} gives all of them.',
    })
  const name = `${id}@${version}@${sha256}#${series}`
  const known = answers.kept(name, question)
  if (known) return known
  const ref = index.shards[shardOf(index, series)]!
  const answer = (shard: NonNullable<ReturnType<Shards['find']>>) => {
    const place = shard.find(series)
    if (place < 0) throw unknownSeries(version)
    const { model, calendar } = modelAt(shard, place)
    const compute = (asked: Question) => computeOnce({ model, bounds }, asked)
    return answers.make(name, { calendar, compute }, question)
  }
  const shard = shards.find(ref)
  return shard ? answer(shard) : shards.load(ref).then(answer)
}

function unknownSeries(version: number): Refused {
  return new Refused(404, 'no-such-series', `Version ${version} has no series with this key.`, {
    field: 'series',
    remedy: 'GET /api/models/{model}/versions/{version}/series lists them.',
  })
}

function said(loaded: LoadedVersion, body: Buffer | Promise<Buffer>): Said | Promise<Said> {
  if (!Buffer.isBuffer(body)) return body.then((bytes) => said(loaded, bytes))
  const version = String(loaded.version)
  return { status: 200, headers: { [names.modelVersion]: version, ...json }, body }
}
