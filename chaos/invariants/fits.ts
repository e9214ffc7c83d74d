import { answerOf, type Entry, type Fit, isFit, isKnownUndone, told } from '../history/entry.ts'
import type { Records, VersionSeen } from '../history/records.ts'

/**
 * No acknowledged fit is lost: its version is fitted, or failed for a reason of its data, unless
 * somebody deleted the model. The job says the same. Judged when all has come to rest.
 */
export function lostFits(entries: readonly Entry[], records: Records): string[] {
  const jobs = new Map(records.jobs.map((job) => [job.id, job]))
  const deleted = deletedUpTo(entries)
  return acknowledgedFits(entries).flatMap(({ entry, version, job }) => {
    const { model } = entry.asked
    if (version <= (deleted.get(model) ?? 0)) return []
    const seen = records.versions.get(model)?.find((each) => each.version === version)
    if (seen === undefined) return [`lost, no record is left: ${told(entry)}`]
    const fault = faultOf(seen, job) ?? faultOfJob(jobs.get(job)?.state, seen)
    return fault === undefined ? [] : [`${fault}: ${told(entry)}`]
  })
}

/** Each version is given to one fit, and each `Idempotency-Key` leads to one. */
export function allocatedTwice(entries: readonly Entry[], records: Records): string[] {
  const jobOf = new Map<string, string>()
  const fitOf = new Map<string, string>()
  const faults: string[] = []
  const claim = (map: Map<string, string>, name: string, value: string, what: string) => {
    const known = map.get(name) ?? value
    map.set(name, known)
    if (known !== value) faults.push(`${name} belongs to ${known} and to ${value}: ${what}`)
  }
  for (const { entry, version, job } of acknowledgedFits(entries)) {
    const { model, key } = entry.asked
    claim(jobOf, `version ${version} of ${model}`, job, told(entry))
    claim(jobOf, `job ${job}`, `version ${version} of ${model}`, told(entry))
    if (key !== null) claim(fitOf, `key ${key}`, job, told(entry))
  }
  for (const { id, model, version } of records.jobs) {
    claim(jobOf, `version ${version} of ${model}`, id, 'as the list of jobs says')
    claim(jobOf, `job ${id}`, `version ${version} of ${model}`, 'as the list of jobs says')
  }
  for (const [model, versions] of records.versions)
    for (const { version, job } of versions)
      claim(jobOf, `version ${version} of ${model}`, job, 'as the list of versions says')
  return faults
}

/** A fit that was begun after another one had been answered has the higher version. */
export function allocatedBackwards(entries: readonly Entry[]): string[] {
  const firsts = firstsOfKeys(entries)
  const faults: string[] = []
  for (const fits of Object.values(
    Object.groupBy(acknowledgedFits(entries), ({ entry }) => entry.asked.model),
  )) {
    const byEnd = fits!.toSorted((a, b) => a.entry.doneMs - b.entry.doneMs)
    const bySend = fits!.filter(({ entry }) => firsts.get(entry.number) ?? true)
    bySend.sort((a, b) => a.entry.sentMs - b.entry.sentMs)
    let [highest, next] = [0, 0]
    for (const fit of bySend) {
      for (; next < byEnd.length && byEnd[next]!.entry.doneMs < fit.entry.sentMs; next++)
        highest = Math.max(highest, byEnd[next]!.version)
      if (fit.version <= highest)
        faults.push(`version ${highest} was given before: ${told(fit.entry)}`)
    }
  }
  return faults
}

export type AcknowledgedFit = {
  readonly entry: Fit
  readonly version: number
  readonly job: string
}

/** Those that the user was told of as begun or done. */
export function acknowledgedFits(entries: readonly Entry[]): AcknowledgedFit[] {
  return entries.flatMap((entry) => {
    const answer = answerOf(entry)
    if (!isFit(entry) || (answer?.status !== 200 && answer?.status !== 202)) return []
    const { version, job } = answer
    if (version === null || job === null)
      throw new Error(`an answer without version or job: ${told(entry)}`)
    return [{ entry, version, job }]
  })
}

const wellStates = ['stored', 'loading', 'serving', 'retired', 'superseded']
/** Failures that are the system's own doing, not the data's. */
const ownReasons = ['attempts-exhausted', 'deadline', 'gone', 'not-stored', 'checksum']

function faultOf({ state, error, job, version }: VersionSeen, acknowledged: string) {
  if (job !== acknowledged) return `lost, version ${version} is of job ${job}`
  if (wellStates.includes(state)) return undefined
  if (state !== 'failed') return `not ended, it is ${state}`
  const { phase = 'unknown', reason = 'unknown' } = error ?? {}
  const isOfData = phase === 'fit' && !ownReasons.includes(reason)
  return isOfData ? undefined : `lost, it failed (${phase}: ${reason})`
}

/** Jobs that are no longer listed have ended long ago. */
function faultOfJob(state: string | undefined, { state: version }: VersionSeen) {
  if (state === undefined) return undefined
  const wanted = version === 'failed' ? ['failed', 'done'] : ['done']
  return wanted.includes(state) ? undefined : `its version is ${version} and its job ${state}`
}

/** Of each model the highest version that a deletion took away. */
function deletedUpTo(entries: readonly Entry[]): ReadonlyMap<string, number> {
  const highest = new Map<string, number>()
  for (const each of entries) {
    const { asked, outcome, sentMs, doneMs } = each
    if (asked.kind !== 'delete' || isKnownUndone(each)) continue
    const told = outcome.kind === 'answered' && outcome.status === 200 ? outcome.version : null
    if (told !== null) highest.set(asked.model, Math.max(told, highest.get(asked.model) ?? 0))
    const isUnknown = outcome.kind !== 'answered' || outcome.status >= 500
    // It may have taken away everything that was begun before its end.
    if (isUnknown)
      for (const { entry, version } of acknowledgedFits(entries))
        if (entry.asked.model === asked.model && entry.sentMs <= Math.max(sentMs, doneMs))
          highest.set(asked.model, Math.max(version, highest.get(asked.model) ?? 0))
  }
  return highest
}

/** Whether a request was the first one under its `Idempotency-Key`. */
function firstsOfKeys(entries: readonly Entry[]): ReadonlyMap<number, boolean> {
  const seen = new Set<string>()
  const firsts = new Map<number, boolean>()
  for (const entry of entries.filter(isFit).toSorted((a, b) => a.sentMs - b.sentMs)) {
    const { key } = entry.asked
    if (key === null) continue
    firsts.set(entry.number, !seen.has(key))
    seen.add(key)
  }
  return firsts
}
