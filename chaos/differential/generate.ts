import { limits, type Random, seededRandom } from '../../shared/src/index.ts'
import type {
  Act,
  History,
  Step,
  SymbolicComparison,
  SymbolicOperation,
  SymbolicRevision,
  Text,
} from './steps.ts'

/** A history that depends on its seed alone. */
export function generateHistory(seed: number): History {
  const random = seededRandom(seed)
  const known: Known = { written: new Map(), steps: [], leases: [], watches: [] }
  const length = 20 + Math.floor(random() * 40)
  const history: Step[] = []
  for (let id = 0; id < length; id++) {
    const act = chooseAct(random, known)
    remember(known, id, act)
    history.push({ id, client: random() < 0.5 ? 0 : 1, act })
  }
  return history
}

/** What a step can be about, if everything before it succeeded. */
type Known = {
  /** By key, the step that wrote it last, and the one that made it. */
  readonly written: Map<string, { readonly made: number; readonly last: number }>
  /** Those after which the revision is known. */
  readonly steps: number[]
  readonly leases: number[]
  readonly watches: number[]
}

const keys = ['/a', '/a/1', '/a/2', '/a/é', '/a/\uffee', '/a/😀', '/ab', '/b/1', '/b/2', 'c']
const prefixes = ['', '/', '/a', '/a/', '/a/😀', '/b/', 'c', '/none/']
/** Refused in the same way by everyone. */
const wrongKeys = ['', 'k\0', '\ud83d', 'k'.repeat(limits.keyBytesMax + 1)]
/** Not what a lease is called, or called so by nobody. */
const wrongLeases = ['', '0', '-1', 'lease', '1.5', '7587869512345678', '9223372036854775808']

const shares: readonly (readonly [share: number, (random: Random, known: Known) => Act])[] = [
  [0.55, transact],
  [0.08, (random) => ({ kind: 'get', key: someKey(random) })],
  [0.08, (random) => ({ kind: 'list', prefix: somePrefix(random) })],
  [0.06, (random) => ({ kind: 'grant', ttlMs: rarely(random) ? 0 : 600_000 })],
  [0.05, (random, { leases }) => ({ kind: 'revoke', lease: recent(random, leases) ?? -1 })],
  [0.06, (random) => ({ kind: 'watch', prefix: somePrefix(random), awaited: random() < 0.8 })],
  [
    0.04,
    (random, { watches }) => ({
      kind: 'stop',
      watch: recent(random, watches) ?? -1,
      caughtUp: random() < 0.7,
    }),
  ],
  [0.04, (random, known) => ({ kind: 'compact', at: someRevision(random, known.steps) })],
  [0.035, tooMuch],
  [0.005, () => ({ kind: 'reopen' })],
]

function chooseAct(random: Random, known: Known): Act {
  let at = random()
  for (const [share, choose] of shares) {
    at -= share
    if (at < 0) return choose(random, known)
  }
  return transact(random, known)
}

function transact(random: Random, known: Known): Act {
  const when = Array.from({ length: Math.floor(random() * 3) }, () => compare(random, known))
  const written = new Set<string>()
  const then: SymbolicOperation[] = []
  for (let left = Math.floor(random() * 5); left > 0; left--) {
    const key = someKey(random)
    const isPut = random() < 0.7
    // Once in a while one that is put twice, or put and deleted.
    if (written.has(key) && !rarely(random)) continue
    if (isPut) written.add(key)
    if (isPut)
      then.push({ kind: 'put', key, value: someValue(random), lease: lease(random, known) })
    else then.push({ kind: 'delete', key })
  }
  return { kind: 'transact', when, then }
}

function compare(random: Random, { written, steps }: Known): SymbolicComparison {
  const key = someKey(random)
  const kind = pick(random, ['absent', 'present', 'modified-at', 'created-at'] as const)
  if (kind === 'absent' || kind === 'present') return { kind, key }
  const by = written.get(key)
  // Half of them are about the truth, if what led to it came to pass.
  if (by && random() < 0.5) {
    return { kind, key, revision: { after: kind === 'created-at' ? by.made : by.last, plus: 0 } }
  }
  return { kind, key, revision: someRevision(random, steps) }
}

function someRevision(random: Random, steps: readonly number[]): SymbolicRevision {
  const kind = random()
  const after = recent(random, steps)
  if (kind < 0.1 || after === undefined) return { exactly: 0 }
  if (kind < 0.13) return { exactly: pick(random, [-1, 0.5, 1, 2 ** 53]) }
  if (kind < 0.16) return { after, plus: 1_000_000 }
  return { after, plus: kind < 0.3 ? -1 : 0 }
}

function lease(random: Random, { leases }: Known): number | string | null {
  const kind = random()
  if (kind < 0.01) return pick(random, wrongLeases)
  return kind < 0.4 ? (recent(random, leases) ?? null) : null
}

function someValue(random: Random): Text {
  const kind = random()
  if (kind < 0.02) return { unit: 'x', times: limits.valueBytesMax }
  if (kind < 0.04) return { unit: 'é', times: limits.valueBytesMax / 2 }
  if (kind < 0.06) return pick(random, ['', '{"a":"\\u0000"}', '😀\uffff\u2028', '\r\n\t'])
  return String(Math.floor(random() * 1e6))
}

/** At a limit or beyond it. */
function tooMuch(random: Random): Act {
  const one = random() < 0.5 ? 1 : 0
  const put = (key: string, value: Text): SymbolicOperation => ({
    kind: 'put',
    key,
    value,
    lease: null,
  })
  const some = (times: number) => Array.from({ length: times }, (_, i) => `/b/${i}`)
  const operations = some(limits.transactionOperationsMax + one)
  const then: readonly SymbolicOperation[] = pick(random, [
    operations.map((key) => put(key, '')),
    operations.map((key) => ({ kind: 'delete', key })),
    [put('/b/1', { unit: 'x', times: limits.valueBytesMax + one })],
    [put('/b/1', { unit: 'é', times: limits.valueBytesMax / 2 + one })],
    [put('/b/1', '\ud83d'), put('/b/2', '')],
    [put('/b/1', 'a\0b')],
    some(15 + 2 * one).map((key) => put(key, { unit: 'x', times: 65_000 })),
    [put('k'.padEnd(limits.keyBytesMax + one, 'k'), '')],
  ])
  const comparisons = some(limits.transactionComparisonsMax + (random() < 0.3 ? 1 : 0))
  const when = random() < 0.5 ? [] : comparisons.map((key) => ({ kind: 'absent' as const, key }))
  return { kind: 'transact', when, then }
}

function remember(known: Known, id: number, act: Act): void {
  const { written, steps, leases, watches } = known
  if (act.kind === 'grant') leases.push(id)
  if (act.kind === 'watch') watches.push(id)
  if (act.kind === 'transact' || act.kind === 'list') steps.push(id)
  if (act.kind !== 'transact') return
  for (const { kind, key } of act.then) {
    if (kind === 'delete') written.delete(key)
    else written.set(key, { made: written.get(key)?.made ?? id, last: id })
  }
}

const rarely = (random: Random) => random() < 0.03
const someKey = (random: Random) =>
  random() < 0.005 ? pick(random, wrongKeys) : pick(random, keys)
const somePrefix = (random: Random) =>
  random() < 0.01 ? pick(random, wrongKeys.slice(1)) : pick(random, prefixes)

/** Mostly one of the last few. */
function recent(random: Random, from: readonly number[]): number | undefined {
  const back = Math.floor(random() * random() * Math.min(from.length, 12))
  return from[from.length - 1 - back]
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T
}
