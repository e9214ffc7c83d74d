import { Damaged, type ShardIndex, Unavailable } from '@almanac/shared'
import { expect, test } from 'vitest'
import { checkShards } from '../../src/serving/check-shards.ts'
import { Unloadable } from '../../src/serving/load-version.ts'

const never = new AbortController().signal
const sum = (letter: string) => letter.repeat(64)
const indexOf = (...blobs: string[]): ShardIndex => ({
  ...{ format: 1, kind: 'models' },
  shards: blobs.map((blob) => ({ first: blob, blob, sha256: sum(blob), sizeBytes: 1, series: 1 })),
})

/** A store that has these blobs, each with a checksum; and which of them it was asked for. */
function storeOf(stored: Readonly<Record<string, string | Error>>) {
  const asked: string[] = []
  const readManifest = async ({ id }: { readonly id: string }) => {
    asked.push(id)
    const sha256 = stored[id]
    if (sha256 instanceof Error) throw sha256
    return sha256 === undefined ? undefined : { id, sha256 }
  }
  return { store: { readManifest } as unknown as Parameters<typeof checkShards>[0], asked }
}

test('all shards of a version are there, and those that served before are not looked for', async () => {
  const { store, asked } = storeOf({ a: sum('a'), c: sum('c') })
  await checkShards(store, indexOf('a', 'b', 'c'), indexOf('b'), never)
  expect(asked.toSorted()).toEqual(['a', 'c'])
})

test.each([
  ['missing', {}, Unloadable, 'missing'],
  ['another one', { a: sum('b') }, Unloadable, 'checksum'],
  ['damaged', { a: new Damaged('torn') }, Unloadable, 'torn'],
  ['not to be had now', { a: new Unavailable('store', 'away') }, Unavailable, 'away'],
] as const)('a version is not served whose shard is %s', async (_what, stored, error, said) => {
  const checked = checkShards(storeOf(stored).store, indexOf('a'), undefined, never)
  await expect(checked).rejects.toThrow(error)
  await expect(checked).rejects.toThrow(said)
})
