import type { ModelRecord, VersionRecord } from '@almanac/shared'
import type { Ask } from './ask.ts'

/** The version that answers a question, or why there is none. */
export type Resolution =
  | { readonly kind: 'version'; readonly version: number }
  /** Not now, but perhaps soon. */
  | { readonly kind: 'wait'; readonly why: string }
  /** Newer than anything seen here: the coordinator must be asked. */
  | { readonly kind: 'unseen'; readonly version: number }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; detail: string }

export type Versions = ReadonlyMap<number, { readonly value: VersionRecord }>

/** What a question means for a model as it is now. Pure. */
export function resolveVersion(ask: Ask, record: ModelRecord, versions: Versions): Resolution {
  const { serving } = record
  if (ask.atLeast !== null && (serving === null || serving < ask.atLeast))
    return wait(`version ${serving ?? 'none'} serves, at least ${ask.atLeast} was asked for`)
  switch (ask.version) {
    case 'serving':
      return serving === null ? nothingServes(ask, record, versions) : found(serving)
    case 'previous':
      if (record.previous !== null) return pinned(ask, record.previous, record, versions)
      return refused(404, 'no-previous', `No version of ${ask.model} served before this one.`)
    case 'latest': {
      const latest = newestStored(versions)
      return latest === undefined ? nothingServes(ask, record, versions) : found(latest)
    }
    default:
      return pinned(ask, ask.version, record, versions)
  }
}

/** The highest version that was ever seen of a model. */
function highestSeen(record: ModelRecord, versions: Versions): number {
  return Math.max(record.high, record.floor, ...versions.keys())
}

/** A version by number. */
function pinned(ask: Ask, version: number, record: ModelRecord, versions: Versions): Resolution {
  if (version === record.serving) return found(version)
  const known = versions.get(version)?.value
  const name = `Version ${version} of ${ask.model}`
  if (version <= record.floor)
    return refused(410, 'version-gone', `${name} belonged to a model that was deleted.`)
  if (known === undefined) {
    if (version > highestSeen(record, versions)) return { kind: 'unseen', version }
    return refused(410, 'version-gone', `${name} was collected; only its record is kept.`)
  }
  switch (known.state) {
    case 'stored':
      return found(version)
    case 'failed': {
      const { phase = 'fit', reason = 'unknown', detail = '' } = known.error ?? {}
      const why = `${name} failed (${phase}: ${reason}). ${detail}`.trim()
      return refused(422, 'version-failed', why)
    }
    case 'queued':
    case 'fitting':
      return refused(409, 'version-not-ready', `${name} is ${known.state}; it is not fitted yet.`)
  }
}

function nothingServes(ask: Ask, record: ModelRecord, versions: Versions): Resolution {
  const under = [...versions.values()].filter(
    ({ value }) => value.state !== 'failed' && value.version > record.floor,
  )
  if (under.length > 0) {
    const { version, state } = under.at(-1)!.value
    return wait(`no version of ${ask.model} serves yet; version ${version} is ${state}`)
  }
  const failed = newestFailed(versions)
  if (failed === undefined) return wait(`no version of ${ask.model} serves yet`)
  const { phase = 'fit', reason = 'unknown', detail = '' } = failed.error ?? {}
  const why = `version ${failed.version} failed (${phase}: ${reason}). ${detail}`.trim()
  return refused(409, 'nothing-serves', `No version of ${ask.model} serves: ${why}`)
}

function newestStored(versions: Versions): number | undefined {
  const stored = [...versions.values()].filter(({ value }) => value.state === 'stored')
  return stored.length === 0 ? undefined : Math.max(...stored.map(({ value }) => value.version))
}

function newestFailed(versions: Versions): VersionRecord | undefined {
  return [...versions.values()]
    .map(({ value }) => value)
    .reduce<VersionRecord | undefined>((a, b) => (a && a.version > b.version ? a : b), undefined)
}

const found = (version: number): Resolution => ({ kind: 'version', version })
const wait = (why: string): Resolution => ({ kind: 'wait', why })
const refused = (status: number, code: string, detail: string): Resolution => ({
  kind: 'refused',
  status,
  code,
  detail,
})
