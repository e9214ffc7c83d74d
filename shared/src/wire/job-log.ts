import { type Static, Type } from 'typebox'

/** One thing that happened to a job, for people: it is written with what else is written then. */
export const JobEvent = Type.Object(
  {
    /** By the clock of who wrote it. */
    at: Type.String({ maxLength: 40 }),
    /** A stable word: `queued`, `claimed`, `phase`, `given-back`, `shard`, `stored`, `failed`… */
    event: Type.String({ maxLength: 40 }),
    text: Type.String({ maxLength: 400 }),
    /** The node or the broker; absent where nobody in particular did it. */
    who: Type.Optional(Type.String({ maxLength: 200 })),
  },
  { additionalProperties: true },
)
export type JobEvent = Static<typeof JobEvent>

/** Entries of one job: some 20 kB at the very most, beside a record of less than one. */
export const jobEventsMax = 100
/** How it began is worth more than what came after; how it ended most. */
const firstKept = 30

type Logged = { readonly log?: readonly JobEvent[] }

/** The record with more in its log; what is too many goes from the middle, and is counted. */
export function noted<T extends Logged>(record: T, ...events: readonly JobEvent[]): T {
  if (events.length === 0) return record
  return { ...record, log: bounded([...(record.log ?? []), ...events]) }
}

/** At most `jobEventsMax` entries, in their order. */
export function bounded(all: readonly JobEvent[]): JobEvent[] {
  if (all.length <= jobEventsMax) return [...all]
  const first = all.slice(0, firstKept)
  const last = all.slice(all.length - (jobEventsMax - firstKept - 1))
  const between = all.slice(firstKept, all.length - last.length)
  const count = between.reduce((sum, event) => sum + leftOutBy(event), 0)
  const text = `${count} entries are left out.`
  return [...first, { at: last[0]!.at, event: 'left-out', text }, ...last]
}

function leftOutBy({ event, text }: JobEvent): number {
  return event === 'left-out' ? Number.parseInt(text, 10) || 1 : 1
}

/** An entry, cut to what one may have. */
export function eventOf(at: string, event: string, text: string, who?: string): JobEvent {
  const short = text.length > 400 ? `${text.slice(0, 399)}…` : text
  return { at, event, text: short, ...(who === undefined ? {} : { who: who.slice(0, 200) }) }
}

type EndedShard = {
  readonly attempts: number
  readonly fitted: { readonly series: number } | null
  readonly error: { readonly reason: string; readonly detail: string } | null
  readonly ended?: { readonly at: string; readonly node: string } | undefined
}

/** What the records of shards say, by time. Those of releases that told no time have none. */
export function eventsOfShards(shards: Iterable<readonly [number, EndedShard]>): JobEvent[] {
  const events: JobEvent[] = []
  for (const [number, { attempts, fitted, error, ended }] of shards) {
    if (ended === undefined) continue
    const tries = attempts > 1 ? `, at attempt ${attempts}` : ''
    if (error)
      events.push(
        eventOf(ended.at, 'shard', `Shard ${number} cannot be fitted: ${error.detail}`, ended.node),
      )
    else if (fitted)
      events.push(
        eventOf(ended.at, 'shard', `Shard ${number}: ${fitted.series} series${tries}.`, ended.node),
      )
  }
  return events.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
}
