import {
  type ClaimRecord,
  CounterRecord,
  codec,
  codecs,
  type JobRecord,
  LogRecord,
  type ModelRecord,
  modelId,
  type NodeModelRecord,
  type NodeRecord,
  parseKey,
  type VersionRecord,
} from '@almanac/shared'
import type { KeyEvent, Revision } from '../etcd/key-values.ts'
import type { World } from '../world/world.ts'
import { takeLineage } from './lineage.ts'
import { OccasionLedger } from './occasion-ledger.ts'
import { ShardLedger } from './shard-ledger.ts'

/** A version that began to serve; the place of a change in the life of a model is its number. */
type Served = {
  readonly changes: number
  readonly to: number | null
  readonly revision: number
  readonly atMs: number
}

export type ModelLedger = {
  record: ModelRecord | undefined
  modRevision: number
  counter: number
  readonly served: Served[]
  /** Every version that ever was, as it is or was last. */
  readonly versions: Map<number, VersionRecord>
  /** Those whose records are still there. */
  readonly present: Set<number>
  /** Of versions of all data that came in parts the versions that had them, oldest first. */
  readonly parts: Map<number, readonly number[]>
}

const counters = codec(CounterRecord)
const logs = codec(LogRecord)

/**
 * Everything that etcd was ever told, judged as it comes: each revision must follow from the one
 * before it by one of the steps that the system is allowed to take.
 */
export class Ledger {
  readonly models = new Map<string, ModelLedger>()
  readonly jobs = new Map<string, JobRecord>()
  readonly claims = new Map<string, ClaimRecord>()
  readonly shards = new ShardLedger()
  /** What was begun by schedules and by rules. */
  readonly occasions = new OccasionLedger()
  readonly nodes = new Map<string, NodeRecord>()
  readonly nodeModels = new Map<string, NodeModelRecord>()
  /** Since when a process was known to have a version: `{instance} {model} {version}`. */
  readonly heldSinceMs = new Map<string, number>()
  readonly violations: string[] = []
  readonly #listeners: ((version: VersionRecord) => void)[] = []
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  /** Told of every version when its model is stored. */
  onStored(listener: (version: VersionRecord) => void): void {
    this.#listeners.push(listener)
  }

  model(id: string): ModelLedger {
    const known = this.models.get(id)
    if (known) return known
    const made: ModelLedger = {
      record: undefined,
      modRevision: 0,
      counter: 0,
      served: [],
      versions: new Map(),
      present: new Set(),
      parts: new Map(),
    }
    this.models.set(id, made)
    return made
  }

  take({ revision, events }: Revision): void {
    const texts = new Map<string, KeyEvent>()
    for (const event of events) texts.set(event.text, event)
    this.#world.trace(() => `revision ${revision}: ${events.map(told).join('; ')}`)
    const before = new Set(this.claims.keys())
    const known = new Set(this.jobs.keys())
    // Counters and versions before models: a promotion is judged by what it stands on.
    for (const [key, { type, kv }] of texts) {
      const parsed = parseKey(key)
      const text = type === 'Put' ? kv.value.toString() : undefined
      const name = `revision ${revision}: ${key}`
      if (parsed.kind === 'model') this.#takeModel(modelId(parsed), text, revision, texts, name)
      if (parsed.kind === 'counter') this.#takeCounter(modelId(parsed), text, name)
      if (parsed.kind === 'version')
        this.#takeVersion(modelId(parsed), parsed.version, text, before, name)
      if (parsed.kind === 'job') set(this.jobs, parsed.id, text, codecs.job)
      if (parsed.kind === 'claim') set(this.claims, parsed.job, text, codecs.claim)
      if (parsed.kind === 'node') set(this.nodes, parsed.node, text, codecs.node)
      if (parsed.kind === 'node-model')
        this.#takeNodeModel(`${parsed.node} ${modelId(parsed)}`, modelId(parsed), text)
    }
    for (const fault of this.shards.take(texts, this.jobs))
      this.#breach(`revision ${revision}: ${fault}`)
    for (const fault of this.occasions.take(texts, known))
      this.#breach(`revision ${revision}: ${fault}`)
  }

  #takeModel(
    id: string,
    text: string | undefined,
    revision: number,
    events: ReadonlyMap<string, KeyEvent>,
    name: string,
  ): void {
    const model = this.model(id)
    const before = model.record
    const decoded = text === undefined ? undefined : codecs.model.decode(text)
    if (!decoded?.ok) {
      this.#breach(`${name} is gone or cannot be read`)
      return
    }
    const after = decoded.value
    model.record = after
    model.modRevision = revision
    if (before === undefined) return
    if (after.changes < before.changes) this.#breach(`${name}: its changes go back`)
    if (after.floor !== before.floor) {
      this.#judgeAnew(model, before, after, name)
      return
    }
    if (after.high < before.high) this.#breach(`${name}: high goes from ${before.high} back`)
    if (after.serving === before.serving && after.deletedAt === before.deletedAt) {
      if (after.changes !== before.changes) this.#breach(`${name}: changes without a change`)
      return
    }
    if (after.changes !== before.changes + 1)
      this.#breach(`${name}: serving changes, but changes go ${before.changes}→${after.changes}`)
    const { changes, serving } = after
    model.served.push({ changes, to: serving, revision, atMs: this.#world.nowMs })
    const entry = events.get(`/models/${id}/log/${String(changes).padStart(12, '0')}`)
    const log = entry && logs.decode(entry.kv.value.toString())
    if (!log?.ok || log.value.from !== before.serving || log.value.to !== serving)
      this.#breach(`${name}: serving changes without its entry in the log`)
    if (after.deletedAt === null) this.#judgePromotion(id, model, before, after, name)
    else if (serving !== null) this.#breach(`${name}: a deleted model serves ${serving}`)
  }

  #judgeAnew(model: ModelLedger, before: ModelRecord, after: ModelRecord, name: string): void {
    if (before.deletedAt === null) this.#breach(`${name}: made anew while it lived`)
    if (after.serving !== null) this.#breach(`${name}: made anew and serves ${after.serving}`)
    if (after.floor < Math.max(0, ...model.versions.keys()) - 1)
      this.#breach(`${name}: made anew with a floor of ${after.floor} below older versions`)
  }

  #judgePromotion(
    id: string,
    model: ModelLedger,
    before: ModelRecord,
    { serving }: ModelRecord,
    name: string,
  ): void {
    if (serving === null) {
      this.#breach(`${name}: nothing serves any more`)
      return
    }
    if (serving !== before.target)
      this.#breach(`${name}: ${serving} serves, the target was ${before.target}`)
    if (before.serving !== null && serving < before.serving && before.why !== 'rollback')
      this.#breach(`${name}: serving goes back from ${before.serving} to ${serving}`)
    const version = model.versions.get(serving)
    if (version?.state !== 'stored')
      this.#breach(`${name}: ${serving} serves and is ${version?.state ?? 'unknown'}`)
    const holders = [...this.nodeModels].filter(
      ([key, { loaded }]) => key.endsWith(` ${id}`) && loaded.includes(serving),
    )
    if (holders.length === 0) this.#breach(`${name}: ${serving} serves and no node has it`)
  }

  #takeCounter(id: string, text: string | undefined, name: string): void {
    const model = this.model(id)
    const decoded = text === undefined ? undefined : counters.decode(text)
    if (!decoded?.ok) {
      this.#breach(`${name} is gone or cannot be read`)
      return
    }
    const { last } = decoded.value
    if (last !== model.counter && last !== model.counter + 1)
      this.#breach(`${name} goes from ${model.counter} to ${last}`)
    model.counter = last
  }

  #takeVersion(
    id: string,
    number: number,
    text: string | undefined,
    claimed: ReadonlySet<string>,
    name: string,
  ): void {
    const model = this.model(id)
    if (text === undefined) {
      model.present.delete(number)
      return
    }
    const decoded = codecs.version.decode(text)
    if (!decoded.ok) {
      this.#breach(`${name} cannot be read`)
      return
    }
    const after = decoded.value
    const before = model.versions.get(number)
    const isNew = !model.present.has(number)
    if (isNew) for (const fault of takeLineage(model, after)) this.#breach(`${name} ${fault}`)
    model.versions.set(number, after)
    model.present.add(number)
    if (isNew && before) {
      this.#breach(`${name} is allocated a second time`)
      return
    }
    if (isNew || !before) return
    const isRead = before.table?.report === null && after.table?.report != null
    const isJoined = before.parts !== undefined && after.parts === undefined
    const isOther = before.dataset.blob !== after.dataset.blob && !isRead && !isJoined
    if (before.job !== after.job || isOther) this.#breach(`${name} is another fit now`)
    if ((isRead || isJoined) && !claimed.has(after.job))
      this.#breach(`${name} has its series from who has no claim`)
    const step = `${before.state}→${after.state}`
    if (before.state !== after.state && !versionSteps.has(step))
      this.#breach(`${name} goes ${step}`)
    if (before.state === 'stored' && before.blob !== after.blob)
      this.#breach(`${name} is another model now`)
    if (step === 'fitting→stored') {
      if (!claimed.has(after.job)) this.#breach(`${name} is stored by who has no claim`)
      for (const listener of this.#listeners) listener(after)
    }
  }

  #takeNodeModel(key: string, id: string, text: string | undefined): void {
    const before = this.nodeModels.get(key)
    set(this.nodeModels, key, text, codecs.nodeModel)
    const after = this.nodeModels.get(key)
    // A registration that ended says nothing about what its node has.
    if (after === undefined) return
    const name = (record: NodeModelRecord, version: number) => `${record.instance} ${id} ${version}`
    for (const version of before?.loaded ?? [])
      if (!after.loaded.includes(version)) this.heldSinceMs.delete(name(before!, version))
    for (const version of after.loaded) {
      const held = name(after, version)
      if (!this.heldSinceMs.has(held)) this.heldSinceMs.set(held, this.#world.nowMs)
    }
  }

  #breach(what: string): void {
    this.violations.push(what)
    this.#world.trace(() => `VIOLATION ${what}`)
  }
}

const versionSteps = new Set([
  'queued→fitting',
  'queued→failed',
  'fitting→fitting',
  'fitting→queued',
  'fitting→stored',
  'fitting→failed',
  // A rollout that was given up.
  'stored→failed',
])

type Decoder<T> = { decode(text: string): { ok: true; value: T } | { ok: false; fault: string } }

function set<T>(map: Map<string, T>, key: string, text: string | undefined, of: Decoder<T>): void {
  const decoded = text === undefined ? undefined : of.decode(text)
  if (decoded?.ok) map.set(key, decoded.value)
  else map.delete(key)
}

const told = ({ type, kv }: KeyEvent) =>
  type === 'Put' ? `${kv.key} = ${kv.value}` : `${kv.key} deleted`
