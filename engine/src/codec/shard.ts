import type { Outcome } from '../family.ts'
import { assert, done } from '../outcome.ts'
import { badFormat, type Column, decodeContainer, encodeContainer } from './container.ts'

/** What is said of each series of a shard: figures, or words of which there are few. */
export type ShardColumn = Float64Array | Int32Array | readonly string[]

/** Series by key, with what belongs to each of them. */
export type ShardContent = {
  /** Ascending as `compareKeys` has it, each once. */
  readonly keys: readonly string[]
  /** One value for each key; names are lower-case words. */
  readonly columns: Readonly<Record<string, ShardColumn>>
  /** Bytes for each key, such as a model; may be empty. */
  readonly payloads: readonly Uint8Array[]
}

/** A shard in memory. Payloads are views of its bytes, taken apart by whoever wants one of them. */
export type Shard = {
  readonly count: number
  readonly keyAt: (place: number) => string
  /** The place of a key, or -1. */
  readonly find: (key: string) => number
  /** The places of the keys that begin with a prefix: from the first to before the last. */
  readonly rangeOf: (prefix: string) => { readonly from: number; readonly to: number }
  readonly columns: ReadonlyMap<string, ShardColumn>
  readonly payloadAt: (place: number) => Uint8Array
  /** Resident memory, for budgets. */
  readonly sizeBytes: number
}

/**
 * The bytes of a shard: a container of the family `shard`. Keys and payloads lie one after the
 * other, each with where it ends; a column of words is their dictionary and a number for each key.
 */
export function encodeShard({ keys, columns, payloads }: ShardContent): Uint8Array {
  assert(payloads.length === keys.length, 'each key has a payload')
  const isAscending = keys.every((key, i) => i === 0 || compareKeys(keys[i - 1]!, key) < 0)
  assert(isAscending, 'keys ascend, each once')
  assert(
    keys.every((key) => key.isWellFormed()),
    'keys are Unicode text',
  )
  const parts = new Map<string, Column>([
    ['keys', keys.join('')],
    ['key-ends', endsOf(keys)],
    ['payloads', joined(payloads)],
    ['payload-ends', endsOf(payloads)],
  ])
  for (const [name, column] of Object.entries(columns)) {
    assert(isFree(name) && column.length === keys.length, 'a column has a value for each key')
    if (column instanceof Float64Array || column instanceof Int32Array) {
      parts.set(name, column)
      continue
    }
    const words = [...new Set(column)]
    const places = new Map(words.map((word, i) => [word, i]))
    parts.set(
      name,
      Int32Array.from(column, (word) => places.get(word)!),
    )
    parts.set(`${name}${wordsSuffix}`, JSON.stringify(words))
  }
  return encodeContainer({ family: shardFamily, familyFormat: shardFormat, columns: parts })
}

/** The shard in some bytes, or why there is none; never throws. */
export function decodeShard(bytes: Uint8Array): Outcome<Shard> {
  const container = decodeContainer(bytes)
  if (container.kind === 'refused') return container
  const { family, familyFormat, columns: parts } = container.value
  if (family !== shardFamily) return badFormat(`they are a ${family}, not a shard`)
  if (familyFormat !== shardFormat) return badFormat(`shard format ${familyFormat} is not known`)
  const [text, keyEnds] = [parts.get('keys'), parts.get('key-ends')]
  const [payloads, payloadEnds] = [parts.get('payloads'), parts.get('payload-ends')]
  if (typeof text !== 'string' || !areEnds(keyEnds, text.length))
    return badFormat('its keys are not as long as they say')
  const count = keyEnds.length
  const isWhole = payloads instanceof Uint8Array && areEnds(payloadEnds, payloads.length)
  if (!isWhole || payloadEnds.length !== count)
    return badFormat('its payloads are not as long as they say')
  const keyAt = (place: number) => text.slice(place === 0 ? 0 : keyEnds[place - 1], keyEnds[place])
  for (let i = 1; i < count; i++)
    if (compareKeys(keyAt(i - 1), keyAt(i)) >= 0) return badFormat('its keys do not ascend')
  const columns = readColumns(parts, count)
  if (columns === undefined) return badFormat('a column is not one value for each key')
  /** The first place whose key does not come before. */
  const placeOf = (isBefore: (key: string) => boolean) => {
    let [low, high] = [0, count]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBefore(keyAt(middle))) low = middle + 1
      else high = middle
    }
    return low
  }
  return done({
    count,
    keyAt,
    find: (key) => {
      const place = placeOf((other) => compareKeys(other, key) < 0)
      return place < count && keyAt(place) === key ? place : -1
    },
    rangeOf: (prefix) => ({
      from: placeOf((key) => compareKeys(key, prefix) < 0),
      to: placeOf((key) => key.startsWith(prefix) || compareKeys(key, prefix) < 0),
    }),
    columns,
    payloadAt: (place) =>
      payloads.subarray(place === 0 ? 0 : payloadEnds[place - 1], payloadEnds[place]),
    sizeBytes: sizeOf(parts),
  })
}

/**
 * The order of keys: that of their UTF-8 bytes, which databases sort by. It differs from that of
 * JavaScript only where a character beyond 65,535 meets one above the surrogates.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

const shardFamily = 'shard'
const shardFormat = 1
const wordsSuffix = '-words'
const reserved = new Set(['keys', 'key-ends', 'payloads', 'payload-ends'])

/** Of a UTF-16 code unit: surrogates stand for characters after all others. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

function isFree(name: string): boolean {
  return !reserved.has(name) && !name.endsWith(wordsSuffix)
}

function endsOf(items: readonly { readonly length: number }[]): Int32Array {
  const ends = new Int32Array(items.length)
  let end = 0
  for (const [i, { length }] of items.entries()) {
    end += length
    ends[i] = end
  }
  return ends
}

function joined(items: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(items.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const item of items) {
    all.set(item, offset)
    offset += item.length
  }
  return all
}

/** Ascending, from 0, and the last of them at the end. */
function areEnds(ends: Column | undefined, length: number): ends is Int32Array {
  if (!(ends instanceof Int32Array)) return false
  const isAscending = ends.every((end, i) => end >= (i === 0 ? 0 : ends[i - 1]!))
  return isAscending && (ends.at(-1) ?? 0) === length
}

function readColumns(
  parts: ReadonlyMap<string, Column>,
  count: number,
): ReadonlyMap<string, ShardColumn> | undefined {
  const columns = new Map<string, ShardColumn>()
  for (const [name, column] of parts) {
    if (reserved.has(name)) continue
    if (name.endsWith(wordsSuffix)) {
      if (!parts.has(name.slice(0, -wordsSuffix.length))) return undefined
      continue
    }
    if (!(column instanceof Float64Array || column instanceof Int32Array)) return undefined
    if (column.length !== count) return undefined
    const words = parts.get(`${name}${wordsSuffix}`)
    const read = words === undefined ? column : spelledOut(column, words)
    if (read === undefined) return undefined
    columns.set(name, read)
  }
  return columns
}

/** The words of a column, one object for each word however often it comes. */
function spelledOut(places: Column, dictionary: Column): readonly string[] | undefined {
  if (typeof dictionary !== 'string' || !(places instanceof Int32Array)) return undefined
  let words: unknown
  try {
    words = JSON.parse(dictionary)
  } catch {
    return undefined
  }
  if (!Array.isArray(words) || !words.every((word) => typeof word === 'string')) return undefined
  const isInside = places.every((place) => place >= 0 && place < words.length)
  return isInside ? Array.from(places, (place) => words[place] as string) : undefined
}

/** Text takes two bytes a character at most, a word's place in an array eight. */
function sizeOf(parts: ReadonlyMap<string, Column>): number {
  let bytes = 0
  for (const [name, column] of parts) {
    if (typeof column === 'string') bytes += 2 * column.length
    else bytes += parts.has(`${name}${wordsSuffix}`) ? 8 * column.length : column.byteLength
  }
  return bytes
}
