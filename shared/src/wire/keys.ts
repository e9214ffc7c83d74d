/**
 * The keys of the coordinator, in one place: built and taken apart here and nowhere else. Names in
 * keys match `namePattern`, so no segment can contain a slash.
 */
export const namePattern = '^[a-z0-9][a-z0-9._-]{0,62}$'

const name = new RegExp(namePattern)

export type ModelName = { readonly tenant: string; readonly model: string }

export const modelsPrefix = '/models/'
export const jobsPrefix = '/jobs/'
export const claimsPrefix = '/claims/'
export const nodesPrefix = '/nodes/'
export const requestsPrefix = '/requests/'
export const schedulesPrefix = '/schedules/'
export const retrainingPrefix = '/retraining/'

export const modelKey = ({ tenant, model }: ModelName) => `/models/${tenant}/${model}`
export const counterKey = (of: ModelName) => `${modelKey(of)}/counter`
export const versionsPrefix = (of: ModelName) => `${modelKey(of)}/versions/`
/** Zero-padded, so that key order is version order. */
export const versionKey = (of: ModelName, version: number) =>
  `${versionsPrefix(of)}${padded(version)}`
export const logPrefix = (of: ModelName) => `${modelKey(of)}/log/`
export const logKey = (of: ModelName, n: number) => `${logPrefix(of)}${padded(n)}`
export const jobKey = (id: string) => `/jobs/${id}`
export const claimKey = (job: string) => `/claims/${job}`
export const shardsPrefix = (job: string) => `${jobKey(job)}/shards/`
export const shardKey = (job: string, shard: number) => `${shardsPrefix(job)}${shard}`
export const shardClaimsPrefix = (job: string) => `${claimKey(job)}/`
export const shardClaimKey = (job: string, shard: number) => `${shardClaimsPrefix(job)}${shard}`
export const requestKey = (tenant: string, hash: string) => `/requests/${tenant}/${hash}`
export const schedulesOf = (tenant: string) => `${schedulesPrefix}${tenant}/`
export const scheduleKey = (tenant: string, name: string) => `${schedulesOf(tenant)}${name}`
export const retrainingsOf = (tenant: string) => `${retrainingPrefix}${tenant}/`
export const retrainingKey = ({ tenant, model }: ModelName) => `${retrainingsOf(tenant)}${model}`
export const nodeKey = (node: string) => `/nodes/${node}`
export const nodeModelKey = (node: string, of: ModelName) =>
  `/nodes/${node}/models/${of.tenant}/${of.model}`

/** `{ip}_{port}`; the colons of IPv6 stay, since only the slash separates. */
export const nodeName = (ip: string, port: number) => `${ip}_${port}`

export type ParsedKey =
  | ({ readonly kind: 'model' } & ModelName)
  | ({ readonly kind: 'counter' } & ModelName)
  | ({ readonly kind: 'version'; readonly version: number } & ModelName)
  | ({ readonly kind: 'log'; readonly n: number } & ModelName)
  | { readonly kind: 'job'; readonly id: string }
  | { readonly kind: 'claim'; readonly job: string }
  | { readonly kind: 'shard'; readonly job: string; readonly shard: number }
  | { readonly kind: 'shard-claim'; readonly job: string; readonly shard: number }
  | { readonly kind: 'request'; readonly tenant: string; readonly hash: string }
  | { readonly kind: 'schedule'; readonly tenant: string; readonly name: string }
  | ({ readonly kind: 'retraining' } & ModelName)
  | { readonly kind: 'node'; readonly node: string }
  | ({ readonly kind: 'node-model'; readonly node: string } & ModelName)
  | { readonly kind: 'unknown' }

/** Takes a key apart. Keys of later releases are `unknown`: readers skip them. */
export function parseKey(key: string): ParsedKey {
  const [root, head, a, b, c, d, ...rest] = key.split('/')
  if (root !== '' || rest.length > 0) return unknown
  if (head === 'models' && isName(a) && isName(b)) return modelPart({ tenant: a, model: b }, c, d)
  if (head === 'jobs' && a && b === undefined) return { kind: 'job', id: a }
  if (head === 'jobs' && a && b === 'shards' && isNumber(c) && d === undefined)
    return { kind: 'shard', job: a, shard: Number(c) }
  if (head === 'claims' && a && b === undefined) return { kind: 'claim', job: a }
  if (head === 'claims' && a && isNumber(b) && c === undefined)
    return { kind: 'shard-claim', job: a, shard: Number(b) }
  if (head === 'requests' && isName(a) && b && c === undefined)
    return { kind: 'request', tenant: a, hash: b }
  if (head === 'schedules' && isName(a) && isName(b) && c === undefined)
    return { kind: 'schedule', tenant: a, name: b }
  if (head === 'retraining' && isName(a) && isName(b) && c === undefined)
    return { kind: 'retraining', tenant: a, model: b }
  if (head === 'nodes' && a) return nodePart(a, b, c, d)
  return unknown
}

const unknown: ParsedKey = { kind: 'unknown' }

function modelPart(of: ModelName, part?: string, number?: string): ParsedKey {
  if (part === undefined) return { kind: 'model', ...of }
  if (part === 'counter' && number === undefined) return { kind: 'counter', ...of }
  if (!isNumber(number)) return unknown
  if (part === 'versions') return { kind: 'version', ...of, version: Number(number) }
  if (part === 'log') return { kind: 'log', ...of, n: Number(number) }
  return unknown
}

function nodePart(node: string, part?: string, tenant?: string, model?: string): ParsedKey {
  if (part === undefined) return { kind: 'node', node }
  if (part === 'models' && isName(tenant) && isName(model))
    return { kind: 'node-model', node, tenant, model }
  return unknown
}

function isName(text: string | undefined): text is string {
  return text !== undefined && name.test(text)
}

function isNumber(text: string | undefined): text is string {
  return text !== undefined && /^\d{1,15}$/.test(text)
}

function padded(n: number): string {
  return String(n).padStart(12, '0')
}
