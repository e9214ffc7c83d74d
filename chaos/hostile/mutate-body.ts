import type { Chance } from './chance.ts'
import { hostileJson, hostileTexts } from './hostile-values.ts'

/** Spoils a JSON body: in its structure where it has one, else in its bytes. */
export function mutateBody(body: Buffer, chance: Chance): Buffer {
  const draw = chance.below(20)
  if (draw < 13) {
    const text = mutateStructure(body.toString(), chance)
    if (text !== undefined) return Buffer.from(text)
  }
  if (draw < 19) return mutateBytes(body, chance)
  return chance.pick(wholeBodies)(chance)
}

const structureCharactersMax = 5_000

/** Stands in the text where JSON that no value can be will stand. */
const mark = 'here-be-dragons'

function mutateStructure(text: string, chance: Chance): string | undefined {
  // What was nested deeply by an earlier mutation would be too deep for us, too.
  if (text.length > structureCharactersMax) return undefined
  let root: unknown
  try {
    root = JSON.parse(text)
  } catch {
    return undefined
  }
  const places = placesOf(root)
  if (places.length === 0) return hostileJson(chance)
  const { parent, key } = chance.pick(places)
  switch (chance.below(6)) {
    case 0:
      delete parent[key]
      return JSON.stringify(root)
    case 1:
      // Said twice, differently.
      return JSON.stringify(root).replace(/\{/, `{${JSON.stringify(key)}:${hostileJson(chance)},`)
    case 2: {
      const name = chance.pick([...hostileTexts, 'data', 'series', 'spec', 'y', 'version'])
      if (Array.isArray(parent)) parent.push(mark)
      else Object.defineProperty(parent, name, { value: mark, enumerable: true, writable: true })
      break
    }
    default:
      parent[key] = mark
  }
  return JSON.stringify(root)?.replaceAll(`"${mark}"`, () => hostileJson(chance))
}

type Parent = Record<string, unknown>

function placesOf(value: unknown): { readonly parent: Parent; readonly key: string }[] {
  if (typeof value !== 'object' || value === null) return []
  const parent = value as Parent
  // Of long lists a few places are as good as all.
  const keys = Object.keys(parent).filter((_, i) => i < 3)
  return keys.flatMap((key) => [{ parent, key }, ...placesOf(parent[key])])
}

function mutateBytes(body: Buffer, chance: Chance): Buffer {
  const at = chance.below(body.byteLength + 1)
  const before = body.subarray(0, at)
  const after = body.subarray(at)
  switch (chance.below(5)) {
    case 0:
      return before
    case 1:
      return Buffer.concat([before, Buffer.from(chance.pick(insertions)), after])
    case 2: {
      const flipped = Buffer.from(body)
      if (at < flipped.byteLength) flipped[at]! ^= 1 << chance.below(8)
      return flipped
    }
    case 3:
      return Buffer.concat([before, before, after])
    default:
      return Buffer.concat([before, after.subarray(1 + chance.below(10))])
  }
}

const insertions: readonly (string | Buffer)[] = [
  Buffer.from([0xff]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0]),
  '\ufeff',
  '//',
  'NaN',
  ',',
  '"',
  '\\u',
  '{',
  ']',
]

const wholeBodies: readonly ((chance: Chance) => Buffer)[] = [
  () => Buffer.alloc(0),
  () => Buffer.from('\ufeff{"data":[1,2,3]}'),
  () => Buffer.from(JSON.stringify({ data: [1, 2, 3] }), 'utf16le'),
  () => Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
  () => Buffer.from('data=1&data=2'),
  () => Buffer.from('{"__proto__":{"data":[1,2,3]}}'),
  () => Buffer.from(`{"data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
  () => Buffer.from(`{"data":[1],"spec":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`),
  () => Buffer.from(`{"data":["${'x'.repeat(200_000)}"]}`),
  () => Buffer.from(`{"${'k'.repeat(100_000)}":1}`),
  // A million numbers are allowed, one more is not; the last one is no number.
  (chance) => Buffer.from(`{"data":[${'1,'.repeat(chance.pick([1, 999_999, 1_000_000]))}"x"]}`),
  () => Buffer.from(`{${Array.from({ length: 20_000 }, (_, i) => `"k${i}":1`).join(',')}}`),
]
