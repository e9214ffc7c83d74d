import {
  headers,
  type ModelName,
  modelId,
  type NotLoaded,
  namePattern,
  Refused,
} from '@almanac/shared'
import type { FastifyInstance, FastifyReply } from 'fastify'
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

type Route = {
  Params: { tenant: string; model: string; version: string; horizon: string }
  Querystring: Record<string, unknown>
}

const name = new RegExp(namePattern)

/** `GET …/forecast/{tenant}/{model}/{version}/{horizon}`: exactly that version, or a 409. */
export function addForecastRoute(server: FastifyInstance, parts: ForecastParts): void {
  server.get<Route>('/forecast/:tenant/:model/:version/:horizon', async (request, reply) => {
    const { tenant, model, version: versionText, horizon } = request.params
    if (!name.test(tenant) || !name.test(model))
      throw new Refused(400, 'invalid', 'This is not the name of a model.', { field: 'model' })
    const version = readVersion(versionText)
    const question = readQuestion(horizon, request.query)
    const of = { tenant, model }
    const id = modelId(of)
    let loaded = parts.placed.find(id, version) ?? parts.onDemand.find(of, version)
    if (!loaded && question.load && parts.serves) loaded = await parts.onDemand.load(of, version)
    if (!loaded) return sendNotLoaded(reply, notLoaded(parts.view, of, version))
    return sendAnswer(reply, loaded, await parts.answers.answer(id, loaded, question))
  })
}

function sendAnswer(reply: FastifyReply, loaded: LoadedVersion, body: Buffer) {
  return reply
    .header(headers.modelVersion, String(loaded.version))
    .header('content-type', 'application/json; charset=utf-8')
    .send(body)
}

function sendNotLoaded(reply: FastifyReply, body: NotLoaded) {
  return reply
    .code(409)
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify(body))
}

/** The node's own view of the model, for a broker that is behind it. */
function notLoaded(view: ModelsView, of: ModelName, version: number): NotLoaded {
  const held = view.state.models.get(modelId(of))
  return {
    type: 'not-loaded',
    tenant: of.tenant,
    model: of.model,
    version,
    record: held?.text ?? null,
    modRevision: held?.modRevision ?? 0,
  }
}

function readVersion(text: string): number {
  const version = Number(text)
  if (/^[1-9]\d{0,14}$/.test(text)) return version
  throw new Refused(400, 'invalid', 'version must be a whole number from 1.', { field: 'version' })
}
