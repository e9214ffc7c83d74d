import {
  type ModelName,
  modelId,
  type NotLoaded,
  namePattern,
  headers as names,
  Refused,
} from '@almanac/shared'
import type { FastifyInstance } from 'fastify'
import type { Answers } from '../serving/answers.ts'
import type { LoadedVersion } from '../serving/load-version.ts'
import type { OnDemandVersions } from '../serving/on-demand-versions.ts'
import type { PlacedVersions } from '../serving/placed-versions.ts'
import { readQuestion } from '../serving/question.ts'
import type { ModelsView } from '../serving/view.ts'

export type ForecastParts = {
  readonly placed: PlacedVersions
  readonly onDemand: OnDemandVersions
  readonly answers: Answers
  readonly view: ModelsView
  /** A node without the role `serve` has nothing loaded and loads nothing. */
  readonly serves: boolean
}

/** A question as it stands in a path, not checked yet. */
export type Asked = {
  readonly tenant: string
  readonly model: string
  readonly version: string
  readonly horizon: string
}

type Said = {
  readonly status: 200 | 409
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

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
  return ({ tenant, model, version: versionText, horizon }, query) => {
    if (!name.test(tenant) || !name.test(model))
      throw new Refused(400, 'invalid', 'This is not the name of a model.', { field: 'model' })
    const version = readVersion(versionText)
    const question = readQuestion(horizon, query)
    const of = { tenant, model }
    const id = modelId(of)
    const loaded = parts.placed.find(id, version) ?? parts.onDemand.find(of, version)
    if (loaded) return said(loaded, parts.answers.answer(id, loaded, question))
    if (!question.load || !parts.serves) return notLoaded(parts.view, of, version)
    return parts.onDemand
      .load(of, version)
      .then((late) =>
        late
          ? said(late, parts.answers.answer(id, late, question))
          : notLoaded(parts.view, of, version),
      )
  }
}

const name = new RegExp(namePattern)

function said(loaded: LoadedVersion, body: Buffer | Promise<Buffer>): Said | Promise<Said> {
  if (!Buffer.isBuffer(body)) return body.then((bytes) => said(loaded, bytes))
  const version = String(loaded.version)
  return { status: 200, headers: { [names.modelVersion]: version, ...json }, body }
}

const json = { 'content-type': 'application/json; charset=utf-8' } as const

/** The node's own view of the model, for a broker that is behind it. */
function notLoaded(view: ModelsView, of: ModelName, version: number): Said {
  const held = view.state.models.get(modelId(of))
  const body: NotLoaded = {
    type: 'not-loaded',
    tenant: of.tenant,
    model: of.model,
    version,
    record: held?.text ?? null,
    modRevision: held?.modRevision ?? 0,
  }
  return { status: 409, headers: json, body: Buffer.from(JSON.stringify(body)) }
}

function readVersion(text: string): number {
  const version = Number(text)
  if (/^[1-9]\d{0,14}$/.test(text)) return version
  throw new Refused(400, 'invalid', 'version must be a whole number from 1.', { field: 'version' })
}
