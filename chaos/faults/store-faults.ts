import { setTimeout as delay } from 'node:timers/promises'
import { codecs } from '@almanac/shared'
import { smallSeries, smallSpec } from '../../e2e/support/data.ts'
import { crashingValue } from '../topology/hooks/crash.ts'
import { keyspace, type Run, withTables } from './cql-access.ts'
import type { Fault, Site } from './fault.ts'

const alone = () => ['everything']

/**
 * Faults with a model of their own, since what becomes of it is part of the promise. They have the
 * cluster to themselves: what they see must not be some other fault's doing.
 */
export const storeFaults: readonly Fault[] = [
  {
    name: 'poisoned-model',
    weight: 0.8,
    targets: () => ['flipped', 'truncated', 'chunk-missing', 'manifest-missing'],
    holds: alone,
    durationMs: [14_000, 14_000],
    healingMs: 2_000,
    run: (site, target) => poisoned(site, target as Poison),
  },
  {
    name: 'crashing-data',
    weight: 0.3,
    targets: () => ['fit'],
    holds: alone,
    durationMs: [3_000, 3_000],
    healingMs: 2_000,
    run: (site) => crashing(site),
  },
]

type Poison = 'flipped' | 'truncated' | 'chunk-missing' | 'manifest-missing'

/** Between request and answer, so that there is time to spoil what is about to be read. */
const readDelayMs = 500
/** Every fit of all users takes seconds then, and this one waits in line. */
const storedMs = 45_000

/**
 * A version is spoilt in the database after it was stored and verified, before any node loads it:
 * it must fail and never serve, what served before must go on, and the next one must serve.
 */
async function poisoned(site: Site, poison: Poison): Promise<void> {
  const { topology, onLinks, violation, note } = site
  const model = `poisoned-${Math.floor(site.random() * 2 ** 31)}`
  const first = await postFit(site, model, 100)
  if (first.status !== 200) return void violation(`a first fit was answered ${told(first)}`)
  const ways = topology.links.filter(({ from, to }) => from.startsWith('node') && to === 'cql')
  const second = await onLinks(ways, `nodes read slowly, and ${poison} is what they read`, () =>
    withTables(topology, async (run) => {
      await Promise.all(ways.map((link) => link.delay(readDelayMs, 0, 'requests')))
      const fitting = postFit(site, model, 200)
      // Whoever waits for it is told; when the spoiling fails, nobody does.
      fitting.catch(() => {})
      try {
        await spoil(run, poison, await storedBlob(site, model, 2))
      } finally {
        await Promise.all(ways.map((link) => link.heal()))
      }
      return await fitting
    }),
  )
  if (second.status !== 422) violation(`a version ${poison} in the store: ${told(second)}`)
  const served = await forecastVersion(site, model)
  if (served !== 1) violation(`after a version ${poison} in the store ${served} serves, not 1`)
  const third = await postFit(site, model, 300)
  if (third.status !== 200) violation(`after a version ${poison}, the next fit: ${told(third)}`)
  note(`${model}: ${poison}, answered ${told(second)}`)
}

async function spoil(run: Run, poison: Poison, blob: string): Promise<void> {
  const key = ['model', blob, 0, 0]
  const where = 'kind = ? AND id = ? AND bucket = ? AND number = ?'
  if (poison === 'chunk-missing') {
    await run(`DELETE FROM ${keyspace}.chunks WHERE ${where}`, key)
    return
  }
  if (poison === 'manifest-missing') {
    const [row] = await run(
      `SELECT kind, period, id FROM ${keyspace}.blobs WHERE id = ? ALLOW FILTERING`,
      [blob],
    )
    if (row === undefined) throw new Error(`no row of blob ${blob}`)
    const of = [row.kind, row.period, row.id]
    await run(`DELETE FROM ${keyspace}.blobs WHERE kind = ? AND period = ? AND id = ?`, of)
    return
  }
  const [row] = await run(`SELECT bytes FROM ${keyspace}.chunks WHERE ${where}`, key)
  const bytes = Buffer.from(row?.bytes as Buffer)
  const spoilt = poison === 'truncated' ? bytes.subarray(0, bytes.length - 1) : flipped(bytes)
  await run(`UPDATE ${keyspace}.chunks SET bytes = ? WHERE ${where}`, [spoilt, ...key])
}

function flipped(bytes: Buffer): Buffer {
  const middle = Math.floor(bytes.length / 2)
  bytes[middle] = (bytes[middle] as number) ^ 0x10
  return bytes
}

/** The blob that the version's record names, as soon as it names one. */
async function storedBlob(site: Site, model: string, version: number): Promise<string> {
  const untilMs = performance.now() + storedMs
  while (performance.now() < untilMs) {
    const records = await site.topology.admin.read(`/models/default/${model}/versions/`)
    for (const text of records.values()) {
      const record = codecs.version.decode(text)
      if (record.ok && record.value.version === version && record.value.blob !== null)
        return record.value.blob
    }
    await delay(20)
  }
  throw new Error(`version ${version} of ${model} was not stored in ${storedMs} ms`)
}

/** Data at which the fitting thread ends: the fit fails for good, and no node ends with it. */
async function crashing(site: Site): Promise<void> {
  const { topology, violation } = site
  const model = `crashing-${Math.floor(site.random() * 2 ** 31)}`
  const pids = () => topology.nodes.map(({ pid }) => pid).join(' ')
  const before = pids()
  const answer = await postFit(site, model, crashingValue, [crashingValue])
  if (answer.status !== 422) violation(`data that crash their thread: ${told(answer)}`)
  if (pids() !== before) violation('data that crash their thread ended a node')
  const next = await postFit(site, model, 100)
  if (next.status !== 200) violation(`after data that crash their thread: ${told(next)}`)
}

type Answer = { readonly status: number; readonly text: string }

const fitMs = 90_000
/** The fault before this one has only just been healed: by then all is well again. */
const wellWithinMs = 10_000
const againMs = 250

/** A fit is refused for a while after a fault, and is then sent again as users do. */
async function postFit(
  site: Site,
  model: string,
  level: number,
  more: readonly number[] = [],
): Promise<Answer> {
  const untilMs = performance.now() + wellWithinMs
  for (;;) {
    const answer = await postOnce(site, model, level, more)
    if (answer.status !== 503 || performance.now() > untilMs) return answer
    await delay(againMs)
  }
}

async function postOnce(
  { topology, random }: Site,
  model: string,
  level: number,
  more: readonly number[],
): Promise<Answer> {
  const broker = topology.brokers[Math.floor(random() * topology.brokers.length)]!
  const response = await fetch(`${broker.url}/api/models/${model}/fit`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': `${model}-${level}` },
    body: JSON.stringify({ data: [...smallSeries(level), ...more], spec: smallSpec }),
    signal: AbortSignal.timeout(fitMs),
  })
  return { status: response.status, text: await response.text() }
}

async function forecastVersion({ topology }: Site, model: string): Promise<number> {
  const url = `${topology.brokers[0]!.url}/api/models/${model}/forecast/3`
  const response = await fetch(url, { signal: AbortSignal.timeout(15_000) })
  await response.arrayBuffer()
  return response.status === 200 ? Number(response.headers.get('x-model-version')) : 0
}

const told = ({ status, text }: Answer) => `${status} ${text.slice(0, 400)}`
