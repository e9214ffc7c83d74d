/** A time in which something was not as it should be, on the clock of the history. */
export type Disturbance =
  /** A process is dead or frozen, or has started and is not ready yet. */
  | {
      readonly kind: 'down'
      readonly part: string
      readonly fromMs: number
      readonly toMs: number
    }
  /** Something is done to the way between two parts. */
  | {
      readonly kind: 'link'
      readonly from: string
      readonly to: string
      readonly fromMs: number
      readonly toMs: number
    }

/** What was disturbed when. */
export type Weather = {
  readonly brokers: readonly string[]
  readonly nodes: readonly string[]
  readonly disturbances: readonly Disturbance[]
}

/** Whether the process was well all the time. */
export function wasUp(weather: Weather, part: string, fromMs: number, toMs: number): boolean {
  return !weather.disturbances.some(
    (each) => each.kind === 'down' && each.part === part && overlaps(each, fromMs, toMs),
  )
}

/** Whether nothing was done to the way all the time. */
export function wasWhole(
  weather: Weather,
  way: { readonly from: string; readonly to: string },
  fromMs: number,
  toMs: number,
): boolean {
  return !weather.disturbances.some(
    (each) =>
      each.kind === 'link' &&
      each.from === way.from &&
      each.to === way.to &&
      overlaps(each, fromMs, toMs),
  )
}

/** Whether etcd and the database were well all the time, and so were the ways to them. */
export function hadBackends(weather: Weather, fromMs: number, toMs: number): boolean {
  const { brokers, nodes, disturbances } = weather
  const isBackend = (part: string) => !brokers.includes(part) && !nodes.includes(part)
  return !disturbances.some(
    (each) => isBackend(each.kind === 'down' ? each.part : each.to) && overlaps(each, fromMs, toMs),
  )
}

/**
 * The first time, from `fromMs` on, at which nothing of what `concerns` had been disturbed for
 * `forMs`; infinite when there was none.
 */
export function calmFromMs(
  { disturbances }: Weather,
  concerns: (each: Disturbance) => boolean,
  { fromMs, forMs }: { readonly fromMs: number; readonly forMs: number },
): number {
  const concerning = disturbances.filter(concerns)
  const times = [fromMs, ...concerning.map(({ toMs }) => toMs + forMs)]
  const isCalm = (ms: number) =>
    !concerning.some((each) => each.toMs > ms - forMs && each.fromMs <= ms)
  return Math.min(
    Number.POSITIVE_INFINITY,
    ...times.filter((ms) => ms >= fromMs && Number.isFinite(ms) && isCalm(ms)),
  )
}

/** When all was over; 0 when nothing was. */
export function lastDisturbedMs({ disturbances }: Weather): number {
  return Math.max(0, ...disturbances.map(({ toMs }) => toMs))
}

function overlaps(
  window: { readonly fromMs: number; readonly toMs: number },
  fromMs: number,
  toMs: number,
): boolean {
  return window.fromMs <= toMs && fromMs <= window.toMs
}
