import {
  type Change,
  type Comparison,
  type Coordinator,
  type Entry,
  type Lease,
  type Operation,
  put,
  type Snapshot,
  unreachable,
} from '../../shared/src/index.ts'
import { type Followed, follow } from '../../shared/test/coordination/follow.ts'
import type { Act, Step, SymbolicComparison, SymbolicOperation, SymbolicRevision } from './steps.ts'
import { textOf } from './steps.ts'

/** One way to coordinate, to be compared with another one. Nothing else may use its key space. */
export type Side = {
  readonly name: string
  /** One coordinator or more that look at the same. */
  clients(): readonly [Coordinator, ...Coordinator[]]
  /** Closes them and opens others on the same data. */
  reopen(): Promise<void>
  /** Resolves once it holds; rejects when that takes too long. */
  until(holds: () => boolean): Promise<void>
}

/** A side while a history is played on it. */
export type Play = {
  /** Does a step; what came of it is the same on all sides that are right. */
  perform(step: Step): Promise<unknown>
  /** All watches end; what they were told, and what is left. Then the key space is emptied. */
  finish(): Promise<unknown>
}

/** Begins on an empty key space; revisions count from what is found. */
export async function startPlay(side: Side, signal: AbortSignal): Promise<Play> {
  const { revision, entries } = await side.clients()[0].list('', signal)
  if (entries.length > 0) throw new Error(`${side.name} is not empty`)
  const stage: Stage = {
    side,
    signal,
    base: revision,
    revisions: new Map(),
    leases: new Map(),
    watches: new Map(),
  }
  const comparable = (value: unknown) => normalised(stage, value)
  return {
    async perform({ id, client, act }) {
      const now = side.clients()
      try {
        return comparable(await perform(stage, id, now[client % now.length] as Coordinator, act))
      } catch (error) {
        return { thrown: (error as Error).name }
      }
    },
    finish: async () => comparable(await finish(stage)),
  }
}

type Stage = {
  readonly side: Side
  readonly signal: AbortSignal
  readonly base: number
  /** What the store's revision was after a step, where it said. */
  readonly revisions: Map<number, number>
  readonly leases: Map<number, Granted>
  readonly watches: Map<number, Watching>
}

/** The lease of a coordinator that was closed since is nothing to work with, but has its id. */
type Granted = { readonly id: string; readonly lease: Lease | undefined }

type Watching = { readonly seen: Followed; readonly prefix: string; readonly awaited: boolean }

async function perform(stage: Stage, id: number, client: Coordinator, act: Act): Promise<unknown> {
  const { signal, revisions, leases, watches } = stage
  switch (act.kind) {
    case 'transact': {
      const when = act.when.map((comparison) => comparisonOf(stage, comparison))
      const then = act.then.map((operation) => operationOf(stage, operation))
      const result = await client.transact({ when, then }, signal)
      revisions.set(id, result.revision)
      return result
    }
    case 'get':
      return (await client.get(act.key, signal)) ?? null
    case 'list': {
      const snapshot = await client.list(act.prefix, signal)
      revisions.set(id, snapshot.revision)
      return snapshot
    }
    case 'grant': {
      const lease = await client.grantLease(act.ttlMs, signal)
      leases.set(id, { id: lease.id, lease })
      return { ttlMs: lease.ttlMs, valid: lease.validMs() > 0, lost: lease.lost.aborted }
    }
    case 'revoke': {
      const { lease } = leases.get(act.lease) ?? {}
      await lease?.revoke(signal)
      return lease ? { valid: lease.validMs() > 0, lost: lease.lost.aborted } : null
    }
    case 'watch': {
      const { prefix, awaited } = act
      const seen = follow(client, prefix)
      watches.set(id, { seen, prefix, awaited })
      if (awaited) await stage.side.until(() => seen.snapshots === 1)
      return null
    }
    case 'stop':
      return await stop(stage, act.watch, act.caughtUp)
    case 'compact':
      // A watch that is behind would lose its place.
      await catchUp(stage)
      return (await client.compact(revisionOf(stage, act.at), signal)) ?? null
    case 'reopen':
      return await reopen(stage)
    default:
      return unreachable(act)
  }
}

/** Waits until all watches were told everything: up to a write that each of them sees. */
async function catchUp({ signal, side, watches }: Stage): Promise<void> {
  if (watches.size === 0) return
  const prefixes = new Set([...watches.values()].map(({ prefix }) => prefix))
  const then = [...prefixes].map((prefix) => put(`${prefix}${mark}`, ''))
  const { revision } = await side.clients()[0].transact({ when: [], then }, signal)
  await side.until(() => [...watches.values()].every(({ seen }) => seen.revision >= revision))
}

/** Last in the order of keys. */
const mark = '\u{10ffff}'

async function stop(stage: Stage, id: number, caughtUp: boolean): Promise<unknown> {
  const watching = stage.watches.get(id)
  if (watching === undefined) return null
  if (caughtUp) await catchUp(stage)
  stage.watches.delete(id)
  await watching.seen.watch.stop()
  const { events, breaches } = watching.seen
  const told = events.length
  await stage.side
    .clients()[0]
    .transact({ when: [], then: [put(`${watching.prefix}${mark}`, '')] }, stage.signal)
  const late = events.length - told
  return caughtUp ? { ...whatWasTold(watching), late } : { breaches, late }
}

/** How events were cut into pieces is left to the backend; their order is not. */
function whatWasTold({ seen, awaited }: Watching): object {
  const { events, breaches } = seen
  const entries = [...seen.entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
  if (!awaited) return { breaches, entries }
  const snapshots: Snapshot[] = []
  const changes: Change[] = []
  for (const event of events) {
    if (event.kind === 'snapshot') snapshots.push(event)
    if (event.kind === 'changes') changes.push(...event.changes)
  }
  return { breaches, snapshots, changes, entries }
}

/** Opened again, the embedded coordinator ends all leases, and etcd none: so there is none. */
async function reopen(stage: Stage): Promise<unknown> {
  const told = await stopAll(stage)
  await revokeAll(stage)
  for (const [step, { id }] of stage.leases) stage.leases.set(step, { id, lease: undefined })
  await stage.side.reopen()
  return { told, now: await stage.side.clients()[0].list('', stage.signal) }
}

async function finish(stage: Stage): Promise<unknown> {
  const told = await stopAll(stage)
  const left = await stage.side.clients()[0].list('', stage.signal)
  await revokeAll(stage)
  const { entries } = await stage.side.clients()[0].list('', stage.signal)
  const then = entries.map(({ key }): Operation => ({ kind: 'delete', key }))
  for (let i = 0; i < then.length; i += 100)
    await stage.side.clients()[0].transact({ when: [], then: then.slice(i, i + 100) }, stage.signal)
  const after = await stage.side.clients()[0].list('', stage.signal)
  return { told, left, after }
}

async function stopAll(stage: Stage): Promise<unknown[]> {
  await catchUp(stage)
  const told = []
  for (const [id, watching] of stage.watches) {
    stage.watches.delete(id)
    await watching.seen.watch.stop()
    told.push(whatWasTold(watching))
  }
  return told
}

async function revokeAll({ leases, signal }: Stage): Promise<void> {
  for (const { lease } of leases.values()) await lease?.revoke(signal)
}

function comparisonOf(stage: Stage, comparison: SymbolicComparison): Comparison {
  if (!('revision' in comparison)) return { kind: comparison.kind, key: comparison.key }
  return { ...comparison, revision: revisionOf(stage, comparison.revision) }
}

function operationOf({ leases }: Stage, operation: SymbolicOperation): Operation {
  const { key } = operation
  if (operation.kind === 'delete') return { kind: 'delete', key }
  const lease =
    typeof operation.lease === 'number' ? leases.get(operation.lease)?.id : operation.lease
  return put(key, textOf(operation.value), lease ?? undefined)
}

function revisionOf({ revisions }: Stage, revision: SymbolicRevision): number {
  if ('exactly' in revision) return revision.exactly
  const known = revisions.get(revision.after)
  return known === undefined ? 0 : known + revision.plus
}

const revisionNames = new Set(['revision', 'createRevision', 'modRevision'] satisfies (
  | keyof Snapshot
  | keyof Entry
)[] as string[])

/** Revisions count from the beginning of the history, leases are called by their steps. */
function normalised({ base, leases }: Stage, value: unknown): unknown {
  const names = new Map([...leases].map(([step, { id }]) => [id, `of step ${step}`]))
  const rename = (name: string, inner: unknown): unknown => {
    if (revisionNames.has(name) && typeof inner === 'number') return inner - base
    if (name === 'lease' && typeof inner === 'string') return names.get(inner) ?? inner
    return inner
  }
  return JSON.parse(JSON.stringify(value, rename))
}
