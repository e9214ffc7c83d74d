import {
  type Codec,
  codec,
  codecs,
  parseKey,
  RetrainingRecord,
  type RetrainingRun,
  ScheduleRecord,
  type ScheduleRun,
} from '@almanac/shared'
import type { KeyEvent } from '../etcd/key-values.ts'

const schedules = codec(ScheduleRecord)
const rules = codec(RetrainingRecord)

type Occasions = ScheduleRecord | RetrainingRecord
type Events = ReadonlyMap<string, KeyEvent>

/**
 * What begins by itself, as it begins: an instant of a schedule is dealt with once, and so is a
 * version that a rule finds decayed; each job of theirs is made with the run that tells of it.
 */
export class OccasionLedger {
  readonly schedules = new Map<string, ScheduleRecord>()
  readonly rules = new Map<string, RetrainingRecord>()

  /** What one revision does that it may not; `known`: the jobs that there were before it. */
  take(events: Events, known: ReadonlySet<string>): string[] {
    const faults: string[] = []
    const told = new Set<string>()
    for (const [key, { type, kv }] of events) {
      const { kind } = parseKey(key)
      const text = type === 'Put' ? kv.value.toString() : undefined
      if (kind === 'schedule')
        faults.push(...taken(this.schedules, schedules, { key, text }, told, judgeSchedule))
      if (kind === 'retraining')
        faults.push(...taken(this.rules, rules, { key, text }, told, judgeRule))
    }
    for (const job of told) {
      if (known.has(job)) faults.push(`a run is of job ${job}, which there was before`)
      if (!events.has(`/jobs/${job}`)) faults.push(`a run is of job ${job}, which is not made`)
    }
    return [...faults, ...untold(events, known, told)]
  }
}

type Change<R extends Occasions> = {
  readonly key: string
  readonly before: R | undefined
  readonly after: R
  /** What it has done by itself now; undefined: a client has changed it. */
  readonly run: R['runs'][number] | undefined
}

/** Takes a record as it has become, and the jobs that its new run tells of. */
function taken<R extends Occasions>(
  held: Map<string, R>,
  values: Codec<R>,
  { key, text }: { readonly key: string; readonly text: string | undefined },
  told: Set<string>,
  judge: (change: Change<R>) => string[],
): string[] {
  const before = held.get(key)
  const decoded = text === undefined ? undefined : values.decode(text)
  if (!decoded?.ok) {
    held.delete(key)
    return text === undefined ? [] : [`${key} cannot be read`]
  }
  const after = decoded.value
  held.set(key, after)
  const fresh = newOf<R['runs'][number]>(after.runs, before?.runs ?? [])
  for (const run of fresh) if (run.outcome === 'begun') told.add(run.job ?? 'none')
  const [run, more] = fresh
  if (more !== undefined) return [`${key} has more than one new run`]
  return judge({ key, before, after, run })
}

function judgeSchedule({ key, before, after, run }: Change<ScheduleRecord>): string[] {
  if (run === undefined) return faultsOfChange(key, before, after)
  const isLater = before !== undefined && Date.parse(run.instant) > Date.parse(before.until)
  const isSecond = before?.runs.some(({ instant }) => instant === run.instant)
  return [
    ...(isLater ? [] : [`${key}: ${run.instant} is dealt with, and ${before?.until} was before`]),
    ...(isSecond ? [`${key}: ${run.instant} is dealt with twice`] : []),
    ...(before?.enabled ? [] : [`${key} is off and runs`]),
    ...(after.until === run.instant ? [] : [`${key}: it is not known that ${run.instant} is past`]),
  ]
}

function judgeRule({ key, before, after, run }: Change<RetrainingRecord>): string[] {
  if (run === undefined) return []
  return [
    ...(before?.acted === run.judged ? [`${key} acts on version ${run.judged} again`] : []),
    ...(after.acted === run.judged
      ? []
      : [`${key}: version ${run.judged} is not known as acted on`]),
    ...(before?.enabled ? [] : [`${key} is off and acts`]),
    ...(run.liveMase > run.limit ? [] : [`${key} acts on ${run.liveMase}, under its limit`]),
  ]
}

/** Newest first; what is older is the same, or was pushed out. */
function newOf<R extends ScheduleRun | RetrainingRun>(after: readonly R[], before: readonly R[]) {
  const known = new Set(before.map((run) => JSON.stringify(run)))
  return after.filter((run) => !known.has(JSON.stringify(run)))
}

/** What a client says of a schedule: its runs stay, and no instant is due again. */
function faultsOfChange(
  key: string,
  before: ScheduleRecord | undefined,
  after: ScheduleRecord,
): string[] {
  if (before === undefined || after.runs.length === before.runs.length) return []
  return [`${key} had ${before.runs.length} runs, and has ${after.runs.length}`]
}

/** Jobs that somebody began by itself, and that no run tells of. */
function untold(events: Events, known: ReadonlySet<string>, told: ReadonlySet<string>): string[] {
  return [...events].flatMap(([key, { type, kv }]) => {
    if (type !== 'Put' || parseKey(key).kind !== 'job') return []
    const job = codecs.job.decode(kv.value.toString())
    if (!job.ok || known.has(job.value.id) || told.has(job.value.id)) return []
    const isByItself = /^(Schedule|Live accuracy) /.test(job.value.why ?? '')
    return isByItself ? [`no run tells of job ${job.value.id}: ${job.value.why}`] : []
  })
}
