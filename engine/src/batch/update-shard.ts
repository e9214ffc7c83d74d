import { checkWithin } from '../bounds.ts'
import { compareKeys, type Shard } from '../codec/shard.ts'
import { foreseenNews, type LiveSum, noLive, sumOfLive } from '../evaluate/live.ts'
import { decodeModel, encodeModel, updateModel } from '../facade.ts'
import type { AnySpec } from '../families.ts'
import type { Outcome, Refusal, Run } from '../family.ts'
import { limits } from '../limits.ts'
import { done, refused } from '../outcome.ts'
import { describedSeries } from '../series/described.ts'
import { gapBefore } from '../series/gap.ts'
import { type FitAs, type FittedShard, fitAt, type ShardRun } from './fit-shard.ts'
import { climb, passOver, toldOfBounds } from './ladder.ts'
import { seriesAt } from './shard-data.ts'
import { contentOf, fittedRow, observedIn, rowAt, type ShardRow, wordAt } from './shard-rows.ts'

/**
 * A shard of models (`fitShard`) after new observations of some of its series, and of new ones: a
 * shard of data, whose `start` is empty where the first comes right after what is known. A series
 * without news is as it was, to the byte. The state of a model moves on; what is missing before
 * the news is missing to the model, too. News that cannot be added leave the model where it is,
 * with a `code` that says why: `known-already`, `start`, `frequency`, `timezone`, `too-many`, or
 * that of the refusal; after news that can the code is again that of the fit. News outside the
 * bounds of forecasts are added, with the code `out-of-bounds` until others come. A series that is new,
 * or has no model, is fitted by the spec, as `fitShard` does it. Places of the run are those of the news.
 * The columns `live-mae` and `live-mase` have the mean error of each series' newest news, and the
 * same by its scale; those without a `live-scale`, as of shards that were made before there was
 * one, are not scored.
 */
export function updateShard(base: Shard, news: Shard, spec: AnySpec, run: ShardRun): FittedShard {
  const { onSeries, passedOver, onProgress, bounds, ...own } = run
  const rows: ShardRow[] = []
  let live = noLive
  for (const { known, place } of merged(base, news)) {
    if (place < 0) {
      rows.push(rowAt(base, known))
      continue
    }
    if (run.shouldStop?.()) break
    onSeries?.(place)
    const how = { why: passedOver?.get(place), bounds }
    if (known < 0) rows.push(fitAt(news, place, spec, own, how))
    else {
      const moved = goOn(rowAt(base, known), newsAt(news, place), { spec, run: own, ...how })
      rows.push(moved.row)
      if (moved.live) live = sumOfLive(live, moved.live)
    }
    onProgress?.((place + 1) / news.count)
  }
  return { ...contentOf(rows), live, isStopped: run.shouldStop?.() === true }
}

type Pair = { readonly known: number; readonly place: number }

/** The keys of both in order: where each is in them, or -1. */
function* merged(base: Shard, news: Shard): Generator<Pair, void, undefined> {
  let [known, place] = [0, 0]
  while (known < base.count || place < news.count) {
    const order =
      known === base.count
        ? 1
        : place === news.count
          ? -1
          : compareKeys(base.keyAt(known), news.keyAt(place))
    yield { known: order > 0 ? -1 : known, place: order < 0 ? -1 : place }
    if (order <= 0) known++
    if (order >= 0) place++
  }
}

type News = Pick<ShardRow, 'start' | 'frequency' | 'timezone'> & { readonly y: Float64Array }

/** The news of the series at a place of a shard of data. */
export function newsAt(news: Shard, place: number): News {
  const word = (name: string) => wordAt(news, name, place)
  const calendar = {
    ...{ start: word('start'), frequency: word('frequency'), timezone: word('timezone') },
  }
  return { y: seriesAt(news, place).y, ...calendar }
}

type How = FitAs & { readonly spec: AnySpec; readonly run: Run }

/** What a series has become; `live` is null where nothing is said of what was foreseen. */
type Moved = { readonly row: ShardRow; readonly live: LiveSum | null }

function goOn(row: ShardRow, news: News, how: How): Moved {
  if (row.payload.length === 0) return { row: fitAnew(row, news, how), live: null }
  if (how.why !== undefined) return { row: asBefore(row, passed(how.why)), live: null }
  const moved = moveOn(row, news, how)
  return moved.kind === 'refused' ? { row: asBefore(row, moved.reason), live: null } : moved.value
}

const passed = (code: string): Refusal => ({
  code,
  detail: 'This series was passed over: its model does not have the new observations.',
})

/** What there is to tell; the code of the fit is kept for when an update succeeds again. */
function asBefore(row: ShardRow, { code, detail }: Refusal): ShardRow {
  const [fitCode, fitDetail] = fitCodeOf(row)
  return { ...row, code, detail, fitCode, fitDetail }
}

const fitCodeOf = (row: ShardRow) =>
  row.fitCode === '' ? ([row.code, row.detail] as const) : ([row.fitCode, row.fitDetail] as const)

function moveOn(row: ShardRow, news: News, { bounds }: How): Outcome<Moved> {
  try {
    const gap = gapOf(row, news)
    if (gap.kind === 'refused') return gap
    const decoded = decodeModel(row.payload)
    if (decoded.kind === 'refused') return decoded
    const y = afterMissing(gap.value, news.y)
    const updated = updateModel(decoded.value, { y })
    if (updated.kind === 'refused') return updated
    const [code, detail] = fitCodeOf(row)
    const foreseen = foreseenNews(decoded.value, y, row.liveScale, bounds)
    const next: ShardRow = {
      ...row,
      ...{ code, detail, fitCode: '', fitDetail: '' },
      steps: row.steps + y.length,
      observed: row.observed + observedIn(y),
      ...(foreseen && { liveMae: foreseen.mae, liveMase: foreseen.mase }),
      payload: encodeModel(updated.value),
    }
    const outside = bounds && checkWithin(news.y, bounds)
    const live = foreseen?.live ?? null
    return done({ row: outside ? asBefore(next, outside) : next, live })
  } catch (fault) {
    // A fault of the engine: told for this series, so that the rest of the shard is not lost to it.
    const what = fault instanceof Error ? fault.message : String(fault)
    return refused({ code: 'internal', detail: `The update of this series failed: ${what}.` })
  }
}

/** Steps that are missing between what a series knows and its news. */
export function gapOf(
  row: Pick<ShardRow, 'start' | 'frequency' | 'timezone' | 'steps'>,
  { y, start, frequency, timezone }: News,
): Outcome<number> {
  const no = (code: string, detail: string) => refused({ code, detail })
  if (frequency !== '' && frequency !== row.frequency)
    return no('frequency', `The series is ${row.frequency || 'of no frequency'}, not ${frequency}.`)
  if (timezone !== '' && timezone !== (row.timezone || 'UTC'))
    return no('timezone', `The series is in ${row.timezone || 'UTC'}, not in ${timezone}.`)
  const known = { ...row, timezone: row.timezone || 'UTC' }
  const gap = start === '' ? ({ kind: 'after', steps: 0 } as const) : gapBefore(known, start)
  switch (gap.kind) {
    case 'no-calendar':
      return no('start', `Nobody said when the series began, so ${start} is nowhere in it.`)
    case 'off-grid':
      return no('start', `${start} is no step of ${row.frequency} data that began at ${row.start}.`)
    case 'known':
      return no('known-already', `Known already, from ${start} on: ${gap.steps} of the steps.`)
    case 'after': {
      const { newObservationsMax: most } = limits
      if (gap.steps + y.length <= most) return done(gap.steps)
      const detail = `${gap.steps} missing steps and ${y.length} new ones are more than ${most}.`
      return no('too-many', detail)
    }
  }
}

/** Values after so many that are missing. */
export function afterMissing(count: number, y: Float64Array): Float64Array {
  if (count === 0) return y
  const all = new Float64Array(count + y.length).fill(Number.NaN)
  all.set(y, count)
  return all
}

/** Of a series without a model: its first observations are new, those of before are missing. */
function fitAnew(row: ShardRow, news: News, { spec, run, why, bounds }: How): ShardRow {
  const { key } = row
  const frequency = row.frequency || news.frequency
  const timezone = row.timezone || news.timezone
  const hasOwnStart = news.start !== '' || row.start === ''
  const start = hasOwnStart ? news.start : row.start
  const y = hasOwnStart ? news.y : afterMissing(row.steps, news.y)
  const described = describedSeries({
    ...{ y: [], start: start || null, frequency: frequency || null, timezone: timezone || null },
  })
  const series = { ...described, y, key }
  const fitted = why === undefined ? climb(series, spec, run) : passOver(series, why, run)
  return fittedRow(toldOfBounds(fitted, y, bounds), { key, start, frequency, timezone, series })
}
