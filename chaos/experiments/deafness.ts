import { codec } from '@almanac/shared'
import { Type } from 'typebox'
import { request } from 'undici'
import { pause } from '../pause.ts'
import type { Part } from '../topology/topology.ts'
import type { Session } from './under-traffic.ts'

const lookEveryMs = 200
const lookMs = 2_000
/** After the signal: until everybody has heard of what was last. */
const lateMs = 30_000

const NodeState = codec(Type.Object({ view: Type.Object({ revision: Type.Integer() }) }))
const Range = codec(Type.Object({ header: Type.Object({ revision: Type.String() }) }))

/**
 * Follows, past every proxy, how far each broker and each node has heard of what is in etcd, until
 * the signal aborts and all have heard of what was there by then. Of each the longest time, in ms,
 * in which there was something new that it had not heard of.
 */
export async function watchDeafness(
  { topology, context, traffic }: Session,
  over: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const parts = [...topology.brokers, ...topology.nodes]
  const news: { readonly revision: number; readonly atMs: number }[] = []
  const longest = new Map(parts.map(({ name }) => [name, 0]))
  const stopNews = makeNews(traffic, over)
  let lastMs = Number.POSITIVE_INFINITY
  while (!context.signal.aborted) {
    const truth = await truthOf(topology.etcd)
    const seen = await Promise.all(parts.map((part) => revisionOf(part)))
    const nowMs = performance.now()
    for (const [i, { name }] of parts.entries()) {
      const missed = news.find(({ revision }) => revision > seen[i]!)
      if (missed) longest.set(name, Math.max(longest.get(name)!, Math.round(nowMs - missed.atMs)))
    }
    if (over.aborted) {
      lastMs = Math.min(lastMs, nowMs)
      const isHeard = seen.every((revision) => revision >= (news.at(-1)?.revision ?? 0))
      if (isHeard || nowMs > lastMs + lateMs) break
    } else if (truth > (news.at(-1)?.revision ?? 0)) news.push({ revision: truth, atMs: nowMs })
    await pause(lookEveryMs, context.signal)
  }
  await stopNews
  return longest
}

/** Holds and releases a model that nobody changes otherwise: that needs etcd and nothing else. */
async function makeNews(traffic: Session['traffic'], over: AbortSignal): Promise<void> {
  const model = traffic.models[0]!
  for (let i = 0; !over.aborted; i++) {
    const client = traffic.clients[i % traffic.clients.length]!
    await client.send({ kind: 'release', model })
    await pause(500, over)
  }
}

async function truthOf(members: readonly Part[]): Promise<number> {
  const body = JSON.stringify({ key: Buffer.from('/').toString('base64'), limit: 1 })
  for (const { url } of members) {
    const text = await textOf(`${url}/v3/kv/range`, body)
    const range = text === undefined ? undefined : Range.decode(text)
    if (range?.ok) return Number(range.value.header.revision)
  }
  return 0
}

/** Up to which revision a process has heard; 0 when it does not say. */
async function revisionOf({ kind, url }: Part): Promise<number> {
  if (kind === 'node') {
    const state = NodeState.decode((await textOf(`${url}/internal/v1/state`)) ?? '')
    return state.ok ? state.value.view.revision : 0
  }
  const metrics = (await textOf(`${url}/metrics`)) ?? ''
  return Number(/^almanac_table_revision(?:\{[^}]*\})? (\d+)/m.exec(metrics)?.[1] ?? 0)
}

async function textOf(url: string, body?: string): Promise<string | undefined> {
  try {
    const answer = await request(url, {
      method: body === undefined ? 'GET' : 'POST',
      body: body ?? null,
      signal: AbortSignal.timeout(lookMs),
    })
    return await answer.body.text()
  } catch {
    return undefined
  }
}
