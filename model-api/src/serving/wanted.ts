import type { ModelRecord } from '@almanac/shared'

/** A version that served until lately, and for how long it is still kept. */
export type Former = { readonly version: number; readonly untilMs: number }

/** What one model asks of a node: versions to load, and versions to keep where they are loaded. */
export type Wanted = { readonly load: ReadonlySet<number>; readonly keep: ReadonlySet<number> }

export const nothingWanted: Wanted = { load: new Set(), keep: new Set() }

/**
 * A live model wants its serving and its target version; a former one is kept, never fetched, so
 * that a broker that looks late still finds it. A deleted model wants nothing.
 */
export function wantedVersions(
  record: ModelRecord | undefined,
  formers: readonly Former[],
  nowMs: number,
): Wanted {
  if (record === undefined || record.deletedAt !== null) return nothingWanted
  const load = new Set<number>()
  for (const version of [record.serving, record.target]) {
    if (version !== null && version > record.floor) load.add(version)
  }
  const keep = new Set(load)
  for (const former of formers) {
    if (former.untilMs > nowMs && former.version > record.floor) keep.add(former.version)
  }
  return { load, keep }
}

/** The formers after a look at the model: the version that served before, when it changed. */
export function nextFormers(
  formers: readonly Former[],
  change: { readonly from: number | null; readonly to: number | null },
  nowMs: number,
  bounds: { readonly graceMs: number; readonly countMax: number },
): readonly Former[] {
  const current = formers.filter(
    ({ version, untilMs }) => untilMs > nowMs && version !== change.to && version !== change.from,
  )
  if (change.from === null || change.from === change.to)
    return current.length === formers.length ? formers : current
  const former = { version: change.from, untilMs: nowMs + bounds.graceMs }
  return [...current, former].slice(-bounds.countMax)
}
