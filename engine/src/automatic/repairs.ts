/**
 * Values that no member is shown, and what stands in for them. A place counts from the first value
 * that members see. A repair holds where the same value stands at the same place, and nowhere else.
 */
export type Repairs = {
  readonly places: Int32Array
  readonly originals: Float64Array
  readonly substitutes: Float64Array
}

export const noRepairs: Repairs = {
  places: new Int32Array(0),
  originals: new Float64Array(0),
  substitutes: new Float64Array(0),
}

/**
 * Spikes: up to four values in a row that lie far from the running median around them, with
 * ordinary values before and after. Far is five times what all but a twentieth of the values keep
 * to, also in logarithms where these exist: a rule of the distances alone, so that heavy tails
 * raise the bar. What comes again a season later is no spike, and of the last values nobody knows
 * whether they are one or a new level: they stay. Costs O(n) for a window of a fixed width.
 */
export function findSpikes(y: Float64Array, seasons: readonly number[]): Repairs {
  if (y.length < shortest) return noRepairs
  const distances = distancesOf(y, seasons)
  const isFar = farMarks(distances.plain, farTimes)
  if (y.every((value) => !(value <= 0))) {
    const inLogs = farMarks(distancesOf(y.map(Math.log), seasons).plain, farTimesInLogs)
    for (let t = 0; t < y.length; t++) isFar[t]! &= inLogs[t]!
  }
  const places = runsOf(y, isFar).filter((t) => !comesAgain(distances.raw, t, seasons))
  const hidden = new Set(places)
  return {
    places: Int32Array.from(places),
    originals: Float64Array.from(places, (t) => y[t]!),
    substitutes: Float64Array.from(places, (t) => substituteOf(y, distances, t, hidden)),
  }
}

/** Some values that begin at a place, repaired where a repair holds; the same array without any. */
export function repaired(y: Float64Array, repairs: Repairs, first: number): Float64Array {
  let out = y
  for (const [i, place] of repairs.places.entries()) {
    const at = place - first
    if (at < 0 || at >= y.length || y[at] !== repairs.originals[i]) continue
    if (out === y) out = y.slice()
    out[at] = repairs.substitutes[i]!
  }
  return out
}

/** With fewer values than these a spike is too large a part of what is known. */
const shortest = 30
const farTimes = 5
const farTimesInLogs = 2
/** What is usual ends here. */
const usualShare = 0.95
/** Half the window of the running median: longer than any run of spikes. */
const reach = 7
/** Values that have to be ordinary on both sides of a run. */
const calm = 3
/** One value of a hundred may be part of a run, up to four. */
const runOf = 100
const runMax = 4
const repairsMax = 0.02

type Distances = {
  /** A value less the median of those around it. */
  readonly raw: Float64Array
  /** The same without what is usual at this phase of the shortest season. */
  readonly plain: Float64Array
}

function distancesOf(y: Float64Array, seasons: readonly number[]): Distances {
  const raw = y.map((value, t) => value - runningMedian(y, t))
  const season = seasons[0] ?? 1
  if (season === 1 || y.length < cyclesMin * season) return { raw, plain: raw }
  const usual = Array.from({ length: season }, (_, phase) =>
    middle(raw.filter((value, t) => t % season === phase && !Number.isNaN(value))),
  )
  return { raw, plain: raw.map((value, t) => value - usual[t % season]!) }
}

const cyclesMin = 4

function runningMedian(y: Float64Array, t: number): number {
  const around = y.subarray(Math.max(0, t - reach), t + reach + 1)
  return middle(around.filter((value) => !Number.isNaN(value)))
}

/** The median, the lower one of two; NaN of nothing. */
function middle(values: Float64Array): number {
  return values.sort()[(values.length - 1) >> 1] ?? Number.NaN
}

/** One for each distance that is many times what is usual. */
function farMarks(distances: Float64Array, times: number): Uint8Array {
  const sizes = distances.filter((value) => !Number.isNaN(value)).map(Math.abs)
  const usual = sizes.sort()[Math.floor(usualShare * (sizes.length - 1))] ?? 0
  const isFar = new Uint8Array(distances.length)
  if (!(usual > 0)) return isFar
  for (let t = 0; t < isFar.length; t++) if (Math.abs(distances[t]!) > times * usual) isFar[t] = 1
  return isFar
}

/** Places of far values in short runs between calm ones; none when they are too many. */
function runsOf(y: Float64Array, isFar: Uint8Array): number[] {
  const longest = Math.min(runMax, Math.max(1, Math.floor(y.length / runOf)))
  const places: number[] = []
  for (let t = 0; t < y.length; t++) {
    if (isFar[t] === 0) continue
    let end = t
    while (isFar[end] === 1) end++
    const before = isFar.subarray(Math.max(0, t - calm), t)
    const after = isFar.subarray(end, end + calm)
    const isCalm = after.length === calm && !before.includes(1) && !after.includes(1)
    if (end - t <= longest && isCalm) for (let place = t; place < end; place++) places.push(place)
    t = end
  }
  return places.length <= Math.max(1, repairsMax * y.length) ? places : []
}

/** Whether a third of the seasons around show something like it, a step more or less. */
function comesAgain(raw: Float64Array, t: number, seasons: readonly number[]): boolean {
  for (const season of seasons) {
    let asked = 0
    let found = 0
    for (let cycle = -cyclesAround; cycle <= cyclesAround; cycle++) {
      const at = t + cycle * season
      if (cycle === 0 || at < 0 || at >= raw.length) continue
      asked++
      const likest = Math.max(...[at - 1, at, at + 1].map((place) => (raw[place] ?? 0) / raw[t]!))
      if (likest > similar) found++
    }
    if (found > 0 && 3 * found >= asked) return true
  }
  return false
}

const cyclesAround = 3
const similar = 0.3

/** On the line between the nearest values that are shown, apart by what is usual at its phase. */
function substituteOf(
  y: Float64Array,
  { raw, plain }: Distances,
  t: number,
  hidden: ReadonlySet<number>,
): number {
  const level = (at: number) => y[at]! - (raw[at]! - plain[at]!)
  const isShown = (at: number) => !hidden.has(at) && !Number.isNaN(y[at]!)
  let left = t - 1
  while (left >= 0 && !isShown(left)) left--
  let right = t + 1
  while (right < y.length && !isShown(right)) right++
  const usual = raw[t]! - plain[t]!
  if (left < 0) return level(right) + usual
  if (right >= y.length) return level(left) + usual
  const share = (t - left) / (right - left)
  return (1 - share) * level(left) + share * level(right) + usual
}
