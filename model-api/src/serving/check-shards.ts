import { Damaged, type ShardIndex, type ShardRef, type Store } from '@almanac/shared'
import { bounds } from '../config/bounds.ts'
import { Unloadable } from './load-version.ts'

/**
 * Looks whether all shards of a version that is about to serve are stored, by their manifests: no
 * models are read. What `before` has, too, is passed over. Rejects with `Unloadable` where one is
 * missing or another one, and with `Unavailable` while the store does not answer.
 */
export async function checkShards(
  store: Pick<Store, 'readManifest'>,
  { shards }: ShardIndex,
  before: ShardIndex | undefined,
  signal: AbortSignal,
): Promise<void> {
  const known = new Set(before?.shards.map(({ blob, sha256 }) => `${blob} ${sha256}`))
  const left = shards.filter(({ blob, sha256 }) => !known.has(`${blob} ${sha256}`)).values()
  const work = async () => {
    for (const ref of left) {
      signal.throwIfAborted()
      await check(store, ref, signal)
    }
  }
  await Promise.all(Array.from({ length: bounds.shardChecksAtOnce }, work))
}

async function check(
  store: Pick<Store, 'readManifest'>,
  { blob, sha256, first }: ShardRef,
  signal: AbortSignal,
): Promise<void> {
  const which = `the shard from ${JSON.stringify(first.slice(0, 100))} on`
  const manifest = await store.readManifest({ kind: 'model', id: blob }, signal).catch((error) => {
    if (error instanceof Damaged) throw new Unloadable(`checksum: ${which}: ${error.message}`)
    throw error
  })
  if (manifest === undefined) throw new Unloadable(`missing: ${which}: there is no blob ${blob}`)
  if (manifest.sha256 !== sha256)
    throw new Unloadable(
      `checksum: ${which}: ${manifest.sha256} is stored, the index says ${sha256}`,
    )
}
