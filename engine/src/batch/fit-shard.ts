import type { Shard, ShardContent } from '../codec/shard.ts'
import { type LiveSum, noLive } from '../evaluate/live.ts'
import type { AnySpec } from '../families.ts'
import type { Bounds, Run } from '../family.ts'
import { climb, passOver, toldOfBounds } from './ladder.ts'
import { seriesAt } from './shard-data.ts'
import { contentOf, fittedRow, type ShardRow, wordAt } from './shard-rows.ts'

export type ShardRun = Run & {
  /** Told the place of each series, in the data, before it is worked on. */
  readonly onSeries?: (place: number) => void
  /** Series that are not to be fitted as asked, such as those that ended a thread, and why. */
  readonly passedOver?: ReadonlyMap<number, string>
  /** Of the forecasts that models are asked for. */
  readonly bounds?: Bounds
}

/** What became of the series of a shard. */
export type FittedShard = {
  /** Models as payloads; the columns say what they are. */
  readonly content: ShardContent
  /** How many series have which code. */
  readonly codes: Readonly<Record<string, number>>
  /** How well the models had foreseen the news that were taken; of a fit there are none. */
  readonly live: LiveSum
  /** Whether the run was told to stop: then the content is not whole, and good for nothing. */
  readonly isStopped: boolean
}

/**
 * Fits each series of a shard of data (`encodeShardData`), seeded by its key. One that the spec
 * refuses is given the default model, and one that even that refuses none; its `code` is why, and
 * `ok` where all went as asked, `out-of-bounds` where it did, and the data leaves the bounds of
 * forecasts. The other columns: `detail` of the code, `family` of the model (empty
 * without one), `start`, `frequency`, `timezone` and `steps` of its calendar, `observed`
 * values, `mase` (`maseOfFit`), and `live-scale` (`liveScale`), by which updates are scored.
 */
export function fitShard(data: Shard, spec: AnySpec, run: ShardRun): FittedShard {
  const { onSeries, passedOver, onProgress, bounds, ...own } = run
  const rows: ShardRow[] = []
  for (let place = 0; place < data.count; place++) {
    if (run.shouldStop?.()) break
    onSeries?.(place)
    rows.push(fitAt(data, place, spec, own, { why: passedOver?.get(place), bounds }))
    onProgress?.((place + 1) / data.count)
  }
  const isStopped = rows.length < data.count || run.shouldStop?.() === true
  return { ...contentOf(rows), live: noLive, isStopped }
}

export type FitAs = {
  /** Why it is not to be fitted as asked; undefined: it is. */
  readonly why: string | undefined
  readonly bounds: Bounds | undefined
}

/** The series at a place of a shard of data, fitted on its own. */
export function fitAt(
  data: Shard,
  place: number,
  spec: AnySpec,
  run: Run,
  { why, bounds }: FitAs,
): ShardRow {
  const series = seriesAt(data, place)
  const fitted = why === undefined ? climb(series, spec, run) : passOver(series, why, run)
  const word = (name: string) => wordAt(data, name, place)
  const calendar = {
    ...{ start: word('start'), frequency: word('frequency'), timezone: word('timezone') },
  }
  return fittedRow(toldOfBounds(fitted, series.y, bounds), {
    key: data.keyAt(place),
    ...calendar,
    series,
  })
}
