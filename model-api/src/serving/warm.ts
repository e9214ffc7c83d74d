import { Refused } from '@almanac/shared'
import type { Answers } from './answers.ts'
import { type LoadedVersion, Unloadable } from './load-version.ts'
import type { Shards } from './shards.ts'

/**
 * Makes the first answers of a version that is about to serve as quick as all others. Rejects with
 * `Unloadable` where a part of it turns out to be none.
 */
export function warmer(answers: Answers, shards: Shards) {
  return async (
    id: string,
    loaded: LoadedVersion,
    before: LoadedVersion | undefined,
    signal: AbortSignal,
  ): Promise<void> => {
    if (loaded.kind === 'one') return await answers.warm(id, loaded)
    if (loaded.kind !== 'many' || before?.kind !== 'many') return
    await shards.readAhead(before.index, loaded.index, signal).catch((error: unknown) => {
      throw error instanceof Refused ? new Unloadable(error.message) : error
    })
  }
}
