import type { Chance } from './chance.ts'
import { mutate } from './mutate.ts'
import type { JsonSchema, Operation, Parameter } from './openapi.ts'
import type { HostileRequest, Pair } from './request.ts'
import { validValue } from './valid-values.ts'

/** What requests can speak of. */
export type World = {
  readonly operations: readonly Operation[]
  /** Models that requests may change. */
  readonly models: readonly string[]
  /** Models that requests may only read. */
  readonly keptModels: readonly string[]
  readonly jobs: readonly string[]
}

/** A request that is valid by the document, as a rule spoiled in one place or in several. */
export function drawRequest(chance: Chance, world: World): HostileRequest {
  const operation = chance.pick(world.operations)
  const request = validRequest(chance, world, operation)
  const draw = chance.below(20)
  const mutations = draw < 3 ? 0 : draw < 15 ? 1 : draw < 18 ? 2 : 4
  let mutated = request
  for (let i = 0; i < mutations; i++) mutated = mutate(mutated, chance)
  return mutated
}

function validRequest(chance: Chance, world: World, operation: Operation): HostileRequest {
  const { method, parameters, body, otherBody } = operation
  const encodedText = (parameter: Parameter) =>
    encodeURIComponent(parameterText(chance, world, operation, parameter))
  const path = operation.path.replace(/\{(\w+)\}/g, (_all, name: string) =>
    encodedText(
      parameters.find((parameter) => parameter.name === name && parameter.in === 'path')!,
    ),
  )
  const query = parameters
    .filter((parameter) => parameter.in === 'query' && (parameter.required || chance.flip(0.3)))
    .map((parameter): Pair => [parameter.name, encodedText(parameter)])
  const isFit = /\/fit(_model)?$/.test(operation.path)
  const headers: Pair[] = [['Accept', chance.pick(['application/json', '*/*'])]]
  // Waiting for the outcome of each fit would be a test of patience.
  if (isFit) headers.push(['Prefer', chance.flip(0.95) ? 'respond-async' : 'wait=1'])
  if (isFit && chance.flip(0.2)) headers.push(['Idempotency-Key', `key-${chance.below(50)}`])
  if (otherBody !== undefined)
    return { method, path, query, ...fileBody(chance, otherBody, headers) }
  if (body === undefined)
    return { method, path, query, headers, body: undefined, framing: 'length' }
  headers.push(['Content-Type', 'application/json'])
  const text = JSON.stringify(isFit ? fitBody(chance, body) : validValue(body, chance))
  const framing = chance.flip(0.8) ? 'length' : 'chunked'
  return { method, path, query, headers, body: Buffer.from(text), framing }
}

/** Some bytes as they are, or as the files of a form. */
function fileBody(chance: Chance, kind: 'bytes' | 'form', headers: readonly Pair[]) {
  const bytes = 'store,day,sold\n'.repeat(chance.below(200))
  const framing = chance.flip(0.8) ? ('length' as const) : ('chunked' as const)
  const as = (type: string, text: string) => {
    const all: Pair[] = [...headers, ['Content-Type', type]]
    return { headers: all, body: Buffer.from(text), framing }
  }
  if (kind === 'bytes') return as('application/octet-stream', bytes)
  const parts = Array.from({ length: chance.below(4) }, () => {
    const name = chance.pick(fileNames)
    const disposition = `form-data; name="file"; filename="${name}"`
    return `--b\r\nContent-Disposition: ${disposition}\r\n\r\n${bytes}\r\n`
  })
  return as('multipart/form-data; boundary=b', `${parts.join('')}--b--\r\n`)
}

const fileNames = ['a.csv', 'b.parquet', 'sales/2024.csv.gz', 'sales/2025.ndjson']

/** Fits that are over in no time, but for a few. */
function fitBody(chance: Chance, schema: JsonSchema): unknown {
  const body = validValue(schema, chance) as { spec?: unknown }
  const cheap = {
    family: 'baseline',
    method: chance.pick(['naive', 'drift', 'mean', 'window', 'seasonal-naive']),
  }
  return { ...body, spec: chance.flip(0.97) ? cheap : { family: chance.pick(families) } }
}

const families = ['arima', 'ets', 'theta', 'ces', 'croston', 'tsb', 'mstl', 'additive', 'automatic']

function parameterText(
  chance: Chance,
  world: World,
  { method }: Operation,
  { name, schema }: Parameter,
): string {
  if (name === 'model' && method === 'GET')
    return chance.pick([...world.models, ...world.keptModels])
  if (name === 'model') return chance.pick(world.models)
  if (name === 'name') return chance.pick(fileNames)
  if (name === 'prefix') return chance.pick(['sales/', 's', ''])
  if (name === 'id') return chance.pick([...world.jobs, 'no-such-job'])
  if (name === 'horizon') return String(chance.flip(0.02) ? 10_000 : 1 + chance.below(60))
  if (name === 'level') return chance.pick(['80', '80,95', '50,90.5', '99.9'])
  if (name === 'limit') return String(1 + chance.below(100))
  if (name === 'cursor') return chance.pick(['5', 'a', ...world.jobs])
  // Whoever waits for a version that does not come waits for long.
  if (name === 'at_least') return String(chance.flip(0.98) ? 1 : 1 + chance.below(5))
  if (name === 'version') return String(1 + chance.below(5))
  return String(validValue(schema, chance))
}
