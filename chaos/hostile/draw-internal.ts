import { fitsPath, forecastPath, headers as names } from '@almanac/shared'
import type { Chance } from './chance.ts'
import { mutate } from './mutate.ts'
import type { HostileRequest, Pair } from './request.ts'

/** A node as those who ask it have to know it. */
export type KnownNode = {
  readonly instance: string
  readonly clusterId: string
  readonly token: string
  readonly models: readonly string[]
}

/** A request of a broker to a node: right in most ways, and in a few wrong. */
export function drawInternalRequest(chance: Chance, node: KnownNode): HostileRequest {
  const request = validRequest(chance, node)
  const mutations = chance.pick([0, 1, 1, 1, 2, 4])
  let mutated: HostileRequest = {
    ...request,
    headers: [...request.headers, ...access(chance, node)],
  }
  for (let i = 0; i < mutations; i++) mutated = mutate(mutated, chance)
  return mutated
}

function validRequest(chance: Chance, { models }: KnownNode): HostileRequest {
  const bare = {
    method: 'GET',
    query: [],
    headers: [],
    body: undefined,
    framing: 'length',
  } as const
  const draw = chance.below(10)
  if (draw < 1) return { ...bare, path: '/internal/v1/state' }
  if (draw < 2) return { ...bare, path: chance.pick(['/healthz', '/readyz', '/metrics']) }
  if (draw < 7) {
    const query: Pair[] = [
      ...(chance.flip(0.3) ? [['level', '80,95'] as const] : []),
      ...(chance.flip(0.2) ? [['timestamps', 'true'] as const] : []),
      ...(chance.flip(0.2) ? [['load', 'true'] as const] : []),
    ]
    const version = 1 + chance.below(4)
    const path = forecastPath('default', chance.pick(models), version, 1 + chance.below(40), '')
    return { ...bare, path, query }
  }
  return {
    method: 'POST',
    path: fitsPath,
    query: [],
    headers: [['Content-Type', 'application/json']],
    body: Buffer.from(JSON.stringify({ job: `no-such-job-${chance.below(20)}` })),
    framing: 'length',
  }
}

function access(chance: Chance, { instance, clusterId, token }: KnownNode): Pair[] {
  const all: Pair[] = [
    ['Authorization', chance.flip(0.9) ? `Bearer ${token}` : chance.pick(wrongTokens)],
    [names.instance, chance.flip(0.9) ? instance : chance.pick(wrongNames)],
    [names.cluster, chance.flip(0.9) ? clusterId : chance.pick(wrongNames)],
  ]
  return all.filter(() => chance.flip(0.97))
}

const wrongTokens = [
  '',
  'Bearer',
  'Bearer ',
  'Bearer x',
  'Basic eDp5',
  `Bearer ${'x'.repeat(5_000)}`,
]
const wrongNames = ['', 'x', '__proto__', '00000000-0000-0000-0000-000000000000', 'x'.repeat(5_000)]
