import { Cron } from 'croner'

/**
 * The instants of a schedule. Where clocks go forward a time that does not exist is the first one
 * after the gap; where they go back a time that comes twice is the first of both. Where the hour or
 * the minute has a `*` each real hour counts.
 */
export type Instants = {
  /** The first after this one; undefined where there is none. Milliseconds since 1970. */
  readonly after: (ms: number) => number | undefined
  /** The last after `since` and up to `now`, and how many there are before it, counted to `most`. */
  readonly due: (since: number, now: number, most: number) => Due | undefined
}

export type Due = { readonly instant: number; readonly missed: number }

export type CronFault = { readonly field: 'cron' | 'timezone'; readonly detail: string }

/** Five fields, or a nickname such as `@daily`; minutes at the finest. */
export function instantsOf(
  cron: string,
  timezone: string,
):
  | { readonly ok: true; readonly value: Instants }
  | { readonly ok: false; readonly fault: CronFault } {
  const wrong = (field: CronFault['field'], detail: string) =>
    ({ ok: false, fault: { field, detail } }) as const
  if (!isTimezone(timezone))
    return wrong('timezone', `There is no time zone ${JSON.stringify(timezone.slice(0, 100))}.`)
  const fields = cron.trim().split(/\s+/).length
  if (fields !== 5 && !/^@[a-z]+$/.test(cron.trim()))
    return wrong(
      'cron',
      `A schedule has five fields: ${JSON.stringify(cron.slice(0, 100))} has not.`,
    )
  let job: Cron
  try {
    const options = {
      timezone,
      mode: '5-part',
      fixedTimeRule: 'no-wildcard',
      paused: true,
    } as const
    job = new Cron(cron.trim(), options)
  } catch (error) {
    const detail = (error as Error).message.replace(/^CronPattern: /, '')
    return wrong('cron', `The schedule cannot be read: ${detail}`)
  }
  const after = (ms: number) => job.nextRun(new Date(ms))?.getTime()
  if (after(0) === undefined) return wrong('cron', 'There is no such day: it would never run.')
  return {
    ok: true,
    value: { after, due: (since, now, most) => dueOf(job, after, since, now, most) },
  }
}

function dueOf(
  job: Cron,
  after: Instants['after'],
  since: number,
  now: number,
  most: number,
): Due | undefined {
  // What is exactly now is due, too; instants are whole seconds.
  const beyond = new Date(Math.floor(now / 1_000) * 1_000 + 1_000)
  const instant = job.previousRuns(1, beyond)[0]?.getTime()
  if (instant === undefined || instant <= since) return undefined
  let missed = 0
  for (let at = after(since); at !== undefined && at < instant && missed < most; at = after(at))
    missed += 1
  return { instant, missed }
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
