import { instantOf, isFrequency, stepAt, stepOf } from '@almanac/engine'
import { limits, Refused, type VersionRecord } from '@almanac/shared'

type Observations = {
  readonly y: readonly (number | null)[]
  readonly start: string | null
}

/** New observations from right after those that a version knows; missing ones are null. */
export type Continued = {
  readonly y: readonly (number | null)[]
  readonly calendar: VersionRecord['calendar'] | undefined
}

/**
 * Joins new observations to those of a version. Where they say when they begin, what lies between
 * is missing; what the version knows already is refused. Throws `Refused`.
 */
export function continueAfter(
  { version, calendar }: Pick<VersionRecord, 'version' | 'calendar'>,
  { y, start }: Observations,
): Continued {
  const gap = start === null ? 0 : gapBefore(version, calendar, start)
  if (gap + y.length > limits.newObservationsMax)
    throw wrongStart(
      `There are ${gap} steps missing before ${start}, which makes more than ${limits.newObservationsMax} with yours.`,
      'Fit the model again with all of its data.',
    )
  const all = gap === 0 ? y : [...Array.from({ length: gap }, () => null), ...y]
  if (calendar === undefined) return { y: all, calendar }
  return { y: all, calendar: { ...calendar, steps: calendar.steps + all.length } }
}

/** Steps between what a version knows and an instant. */
function gapBefore(version: number, calendar: VersionRecord['calendar'], start: string): number {
  if (calendar === undefined || !isFrequency(calendar.frequency))
    throw wrongStart(
      `The data of version ${version} has no start or frequency, so nobody knows where ${start} is in it.`,
      'Leave start out: then they come right after those of before.',
    )
  const known = { start: instantOf(calendar.start), step: stepOf(calendar.frequency) }
  const { index, exact } = stepAt(known, instantOf(start))
  const { frequency, steps } = calendar
  if (!exact)
    throw wrongStart(`${start} is no step of ${frequency} data that began at ${calendar.start}.`)
  if (index >= steps) return index - steps
  const common = steps - index
  throw wrongStart(
    `Version ${version} knows ${common} ${common === 1 ? 'step' : 'steps'} from ${start} on already.`,
    'Send only what came after it; what it knows can be changed only by fitting again.',
    409,
  )
}

function wrongStart(detail: string, remedy?: string, status = 422): Refused {
  const code = status === 409 ? 'known-already' : 'start'
  return new Refused(status, code, detail, {
    field: '/series/0/start',
    ...(remedy === undefined ? {} : { remedy }),
  })
}
