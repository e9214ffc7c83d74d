import type { VersionRecord } from '@almanac/shared'
import type { ModelLedger } from './ledger.ts'

/**
 * Remembers of which versions a new one has the data, and says what it lacks: news go on from the
 * newest version that did not fail, and a fit of all data has that of the newest, or under a hold
 * of the one that serves. Whatever came in between would be lost.
 */
export function takeLineage(model: ModelLedger, after: VersionRecord): string[] {
  const source = sourceOf(model, after)
  if (source?.parts) model.parts.set(after.version, source.parts)
  const last = after.base?.version ?? source?.upTo
  if (last === undefined || model.record === undefined) return []
  const { hold, serving, floor } = model.record
  if (hold) return last >= (serving ?? 0) ? [] : [`has the data of ${last}, and ${serving} serves`]
  const lost = [...model.versions.values()].filter(
    ({ version, state }) => version > Math.max(last, floor) && state !== 'failed',
  )
  return lost.map(({ version }) => `has the data of ${last}, and lacks that of ${version}`)
}

type Source = { readonly parts: readonly number[]; readonly upTo: number }

/** Of a fit of all data what it has; undefined of one that brings its own. */
function sourceOf(
  { versions, parts }: ModelLedger,
  { parts: named, dataset, base, table, why }: VersionRecord,
): Source | undefined {
  if (base) return undefined
  const retried = retriedBy(versions, why)
  if (retried !== undefined) {
    const before = parts.get(retried)
    return before && { parts: before, upTo: retried }
  }
  if (named) {
    const all = named.map(({ version }) => version)
    return { parts: all, upTo: all.at(-1)! }
  }
  const same = [...versions.values()].filter((one) => one.dataset.blob === dataset.blob)
  const upTo = same.at(-1)?.version
  return table || upTo === undefined ? undefined : { parts: [upTo], upTo }
}

function retriedBy(versions: ModelLedger['versions'], why = ''): number | undefined {
  const [, job] = /^It is job (\S+) again/.exec(why) ?? []
  return [...versions.values()].find((one) => one.job === job)?.version
}
