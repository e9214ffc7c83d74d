import type { Shard, ShardContent } from '../codec/shard.ts'
import { maseOfFit } from '../evaluate/fit-error.ts'
import { liveScale } from '../evaluate/live.ts'
import { encodeModel } from '../facade.ts'
import type { AnyModel } from '../families.ts'
import type { Series } from '../family.ts'
import type { Climbed } from './ladder.ts'

/** What a shard of models says of one series. */
export type ShardRow = {
  readonly key: string
  /** What became of it when it was last touched, by a fit or an update, and why. */
  readonly code: string
  readonly detail: string
  /** What became of its fit, where an update failed since; else empty. */
  readonly fitCode: string
  readonly fitDetail: string
  /** Of the model; empty without one. */
  readonly family: string
  /** Its calendar; empty where nobody said. */
  readonly start: string
  readonly frequency: string
  readonly timezone: string
  readonly steps: number
  /** Steps that are not missing. */
  readonly observed: number
  /** `maseOfFit` of its fit; NaN where there is none. */
  readonly mase: number
  /**
   * What errors on it are divided by (`liveScale` of its fit); 0 where its data never changed, NaN
   * where that is not known. Earlier releases write NaN for 0, and take 0 for that.
   */
  readonly liveScale: number
  /** How the newest of its updates was foreseen, as a mean absolute error; NaN before any. */
  readonly liveMae: number
  /** The same by its scale; NaN before any, and where there is no scale. */
  readonly liveMase: number
  /** The model; empty without one. */
  readonly payload: Uint8Array
}

/** Of all series of a shard: its content, and how many of them have which code. */
export function contentOf(rows: readonly ShardRow[]): {
  readonly content: ShardContent
  readonly codes: Readonly<Record<string, number>>
} {
  const words = (name: (typeof wordNames)[number]) => rows.map((row) => row[name])
  const zones = words('timezone')
  const hasFailedUpdates = rows.some(({ fitCode }) => fitCode !== '')
  const figures = (column: string, name: 'liveScale' | 'liveMae' | 'liveMase') => {
    const all = Float64Array.from(rows, (row) => row[name])
    return all.every(Number.isNaN) ? {} : { [column]: all }
  }
  const columns = {
    code: words('code'),
    detail: words('detail'),
    family: words('family'),
    start: words('start'),
    frequency: words('frequency'),
    steps: Int32Array.from(rows, ({ steps }) => steps),
    observed: Int32Array.from(rows, ({ observed }) => observed),
    [maseColumn]: Float64Array.from(rows, ({ mase }) => mase),
    ...figures(liveScaleColumn, 'liveScale'),
    ...figures(liveMaeColumn, 'liveMae'),
    ...figures(liveMaseColumn, 'liveMase'),
    ...(zones.some((zone) => zone !== '') ? { timezone: zones } : {}),
    ...(hasFailedUpdates
      ? { [fitCodeColumn]: words('fitCode'), [fitDetailColumn]: words('fitDetail') }
      : {}),
  }
  const codes: Record<string, number> = {}
  for (const { code } of rows) codes[code] = (codes[code] ?? 0) + 1
  const [keys, payloads] = [rows.map(({ key }) => key), rows.map(({ payload }) => payload)]
  return { content: { keys, columns, payloads }, codes }
}

/** The row of a series that was fitted. */
export function fittedRow(
  { code, detail, model }: Climbed,
  about: Pick<ShardRow, 'key' | 'start' | 'frequency' | 'timezone'> & { readonly series: Series },
): ShardRow {
  const { key, start, frequency, timezone, series } = about
  return {
    ...{ key, code, detail, fitCode: '', fitDetail: '', start, frequency, timezone },
    family: model?.family ?? '',
    steps: series.y.length,
    observed: observedIn(series.y),
    mase: model === null ? Number.NaN : safeMase(model, series),
    liveScale: model === null ? Number.NaN : (liveScale(series) ?? 0),
    ...{ liveMae: Number.NaN, liveMase: Number.NaN },
    payload: model === null ? new Uint8Array(0) : encodeModel(model),
  }
}

/** A fault of the engine here is no reason to be without the model. */
function safeMase(model: AnyModel, series: Series): number {
  try {
    return maseOfFit(model, series)
  } catch {
    return Number.NaN
  }
}

/** What a shard of models without fault says of the series at a place. */
export function rowAt(shard: Shard, place: number): ShardRow {
  const word = (name: string) => wordAt(shard, name, place)
  const count = (name: string) => shard.columns.get(name)?.[place] as number
  const figure = (name: string) => figureAt(shard, name, place)
  return {
    key: shard.keyAt(place),
    ...{ code: word('code'), detail: word('detail'), family: word('family') },
    ...{ fitCode: word(fitCodeColumn), fitDetail: word(fitDetailColumn) },
    ...{ start: word('start'), frequency: word('frequency'), timezone: word('timezone') },
    ...{ steps: count('steps'), observed: count('observed') },
    mase: figure(maseColumn),
    liveScale: figure(liveScaleColumn),
    ...{ liveMae: figure(liveMaeColumn), liveMase: figure(liveMaseColumn) },
    payload: shard.payloadAt(place),
  }
}

/** Why a shard holds no models that can be updated; undefined when it does. */
export function faultOfModels({ columns }: Shard): string | undefined {
  const missing =
    wordColumns.find((name) => !Array.isArray(columns.get(name))) ??
    countColumns.find((name) => !(columns.get(name) instanceof Int32Array))
  return missing === undefined ? undefined : `there is no column ${missing}`
}

/** Empty where a shard has no such column. */
export function wordAt({ columns }: Shard, name: string, place: number): string {
  const word = columns.get(name)?.[place]
  return typeof word === 'string' ? word : ''
}

/** NaN where a shard has no such column. */
function figureAt({ columns }: Shard, name: string, place: number): number {
  const figure = columns.get(name)?.[place]
  return typeof figure === 'number' ? figure : Number.NaN
}

export function observedIn(y: Float64Array): number {
  let count = 0
  for (const value of y) if (!Number.isNaN(value)) count++
  return count
}

const wordColumns = ['code', 'detail', 'family', 'start', 'frequency'] as const
const wordNames = [...wordColumns, 'timezone', 'fitCode', 'fitDetail'] as const
const countColumns = ['steps', 'observed']
const maseColumn = 'mase'
const liveScaleColumn = 'live-scale'
const liveMaeColumn = 'live-mae'
const liveMaseColumn = 'live-mase'
const fitCodeColumn = 'fit-code'
const fitDetailColumn = 'fit-detail'
