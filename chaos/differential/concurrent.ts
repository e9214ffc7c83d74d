import {
  type Comparison,
  type Coordinator,
  type Entry,
  type Lease,
  Missing,
  type Operation,
  put,
  type Random,
  seededRandom,
} from '../../shared/src/index.ts'
import type { KeySpaceOperation } from '../linearizability/key-space-history.ts'
import type { Side } from './play.ts'

type Act = KeySpaceOperation['act']

/**
 * Several clients at once on one side, which must be empty and is left so. What each of them did
 * and was told, as a history of the name given: it must be linearizable.
 */
export async function playConcurrently(
  side: Side,
  seed: number,
  name: string,
  signal: AbortSignal,
): Promise<KeySpaceOperation[]> {
  const random = seededRandom(seed)
  const [first] = side.clients()
  const { revision } = await first.list('', signal)
  // An empty key space is at revision 1; 0 stands for no revision in comparisons.
  const base = revision - 1
  const leases = [await first.grantLease(600_000, signal), await first.grantLease(600_000, signal)]
  const history: KeySpaceOperation[] = []
  const users = Array.from({ length: usersCount }, async (_, user) => {
    const clients = side.clients()
    const client = clients[user % clients.length] as Coordinator
    const own = seededRandom(Math.floor(random() * 2 ** 31))
    const known: Known = { random: own, client, leases, revisions: [], base, signal }
    for (let i = 0; i < actsPerUser; i++) {
      const callMs = performance.now()
      const act = await actOnce(known)
      const returnMs = performance.now()
      if (act) history.push({ client: `${user}`, model: name, callMs, returnMs, act })
    }
  })
  await Promise.all(users)
  for (const lease of leases) await lease.revoke(signal)
  const { entries } = await first.list('', signal)
  await first.transact(
    { when: [], then: entries.map(({ key }) => ({ kind: 'delete', key })) },
    signal,
  )
  return history
}

const usersCount = 5
const actsPerUser = 12
const keys = ['/a', '/a/1', '/b/é', '/b/😀']

type Known = {
  readonly random: Random
  readonly client: Coordinator
  readonly leases: readonly Lease[]
  /** That this user was told of: what it compares with may still be true. */
  readonly revisions: number[]
  readonly base: number
  readonly signal: AbortSignal
}

/** Undefined: refused, for want of a lease. */
async function actOnce(known: Known): Promise<Act | undefined> {
  const { random, client, leases, revisions, base, signal } = known
  const kind = random()
  if (kind < 0.25) {
    const key = pick(random, keys)
    const entry = await client.get(key, signal)
    if (entry) revisions.push(entry.modRevision)
    return { kind: 'get', key, entry: entry ? since(entry, base) : null }
  }
  if (kind < 0.4) {
    const prefix = pick(random, ['', '/a', '/b/'])
    const { revision, entries } = await client.list(prefix, signal)
    const sinceBase = entries.map((entry) => since(entry, base))
    return { kind: 'list', prefix, revision: relative(revision, base), entries: sinceBase }
  }
  if (kind < 0.42) {
    const lease = pick(random, leases)
    await lease.revoke(signal)
    return { kind: 'revoke', lease: lease.id }
  }
  return await transact(known)
}

async function transact(known: Known): Promise<Act | undefined> {
  const { random, client, leases, revisions, base, signal } = known
  const some = keys.filter(() => random() < 0.4)
  const then = some.map((key): Operation => {
    if (random() < 0.25) return { kind: 'delete', key }
    const lease = random() < 0.2 ? pick(random, leases).id : undefined
    return put(key, String(Math.floor(random() * 1e6)), lease)
  })
  const when = keys
    .filter(() => random() < 0.3)
    .map((key): Comparison => {
      const kind = pick(random, ['absent', 'present', 'modified-at', 'created-at'] as const)
      if (kind === 'absent' || kind === 'present') return { kind, key }
      return { kind, key, revision: revisions.at(-1 - Math.floor(random() * 3)) ?? 0 }
    })
  try {
    const { succeeded, revision } = await client.transact({ when, then }, signal)
    revisions.push(revision)
    return {
      kind: 'transact',
      when: when.map((each) =>
        'revision' in each ? { ...each, revision: relative(each.revision, base) } : each,
      ),
      then: then.map((each) =>
        each.kind === 'put' ? { ...each, lease: each.lease ?? null } : each,
      ),
      succeeded,
      revision: relative(revision, base),
    }
  } catch (error) {
    if (error instanceof Missing) return undefined
    throw error
  }
}

/** What is older than the history is told as 0, which nothing is. */
const relative = (revision: number, base: number) => Math.max(0, revision - base)

function since(entry: Entry, base: number): Entry {
  const createRevision = relative(entry.createRevision, base)
  return { ...entry, createRevision, modRevision: relative(entry.modRevision, base) }
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T
}
