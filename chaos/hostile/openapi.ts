import type { HttpClient } from './http-client.ts'

export type JsonSchema = {
  readonly type?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly format?: string
}

export type Parameter = {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly schema: JsonSchema
}

/** One call of the document. */
export type Operation = {
  readonly method: string
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly body: JsonSchema | undefined
  /** What a body that is not JSON is sent as. */
  readonly otherBody: 'bytes' | 'form' | undefined
  /** Schemas of JSON bodies by status; null: the answer has no described body. */
  readonly answers: ReadonlyMap<number, JsonSchema | null>
}

type Content = { readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>> }
type Described = Content & {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: Content
  readonly responses: Readonly<Record<string, Content>>
}
type Document = { readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>> }

/** The calls that the running broker says it has. */
export async function readOperations(client: HttpClient): Promise<readonly Operation[]> {
  const bytes = Buffer.from('GET /api/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n')
  const ask = { bytes, isHead: false, thenEnd: false, timeoutMs: 10_000 }
  const exchange = await client.send(ask)
  if (exchange.kind !== 'answer' || exchange.answer.status !== 200)
    throw new Error('the broker does not give its OpenAPI document')
  const document = JSON.parse(exchange.answer.body.toString()) as Document
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => operationOf(path, method, described)),
  )
}

/** The operation that a path on the wire belongs to; HEAD belongs to GET. */
export function operationFor(
  operations: readonly Operation[],
  method: string,
  path: string,
): Operation | undefined {
  const wanted = method === 'HEAD' ? 'GET' : method
  return operations.find(
    (operation) => operation.method === wanted && shapeOf(operation.path).test(path),
  )
}

const shapes = new Map<string, RegExp>()

function shapeOf(template: string): RegExp {
  const kept = shapes.get(template)
  if (kept) return kept
  // The name of a file may have slashes; it is always the last.
  const open = template.replace(/\{name\}$/, '.*')
  const escaped = open.replace(/[.](?!\*)/g, '\\.').replace(/\{\w+\}/g, '[^/]*')
  const shape = new RegExp(`^${escaped}$`)
  shapes.set(template, shape)
  return shape
}

function operationOf(path: string, method: string, described: Described): Operation {
  const { parameters = [], requestBody, responses } = described
  const answers = Object.entries(responses).map(([status, { content }]) => {
    const schema = content && Object.values(content)[0]?.schema
    return [Number(status), schema ?? null] as const
  })
  return {
    method: method.toUpperCase(),
    path,
    parameters,
    body: requestBody?.content?.['application/json']?.schema,
    otherBody: otherBodyOf(requestBody?.content ?? {}),
    answers: new Map(answers),
  }
}

function otherBodyOf(content: Readonly<Record<string, unknown>>): Operation['otherBody'] {
  if ('multipart/form-data' in content) return 'form'
  return 'application/octet-stream' in content ? 'bytes' : undefined
}
