import { frequencies } from '@almanac/engine'
import { type Static, Type } from 'typebox'
import { limits } from '../limits.ts'

const closed = { additionalProperties: false } as const
const Name = Type.String({ minLength: 1, maxLength: limits.nameCharactersMax })
const Names = Type.Array(Name, { minItems: 1, maxItems: limits.columnsMax })
const Value = Type.String({ maxLength: limits.nameCharactersMax })
const words = <const Words extends readonly string[]>(...all: Words) =>
  Type.Unsafe<Words[number]>(Type.Enum([...all]))

const encoded = {
  /** `latin-1` is read as Windows-1252, which has the same letters and a few more. */
  encoding: Type.Optional(words('utf-8', 'latin-1', 'utf-16')),
  /** What stands between the whole number and its fraction. */
  decimal: Type.Optional(words('.', ',')),
  /** What separates groups of three digits; without it they are no numbers. */
  thousands: Type.Optional(words('.', ',', ' ', "'")),
  /** Texts that mean that there is no value; an empty one always does. */
  missing: Type.Optional(Type.Array(Value, { maxItems: 20 })),
}

const CsvSource = Type.Object(
  {
    format: Type.Literal('csv'),
    /** One ASCII character. */
    delimiter: Type.Optional(Type.String({ minLength: 1, maxLength: 1 })),
    /** One ASCII character, doubled inside a quoted field; null: none is quoted. */
    quote: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 1 }), Type.Null()])),
    /** Whether quoted fields may hold line breaks. */
    multiline: Type.Optional(Type.Boolean()),
    /** Lines before the header that are none of the table. */
    skip: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000 })),
    /** The names of the columns when no line says them. */
    header: Type.Optional(Names),
    ...encoded,
  },
  closed,
)
const NdjsonSource = Type.Object({ format: Type.Literal('ndjson'), ...encoded }, closed)
const ParquetSource = Type.Object({ format: Type.Literal('parquet') }, closed)

const Time = Type.Object(
  {
    column: Name,
    /** `iso`, `epoch-seconds`, `epoch-milliseconds`, or as strptime has it: `%d.%m.%Y`. */
    format: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    /** Where the clock hangs, as in Europe/Berlin: days begin at its midnight. */
    zone: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  },
  closed,
)

const Feature = Type.Object(
  {
    column: Name,
    type: words('number', 'category'),
    /** Of several rows of a period; of a category only the first or last in its order. */
    aggregate: Type.Optional(words('mean', 'sum', 'min', 'max')),
  },
  closed,
)

const Select = Type.Object({ do: Type.Literal('select'), columns: Names }, closed)
const Drop = Type.Object({ do: Type.Literal('drop'), columns: Names }, closed)
const Rename = Type.Object({ do: Type.Literal('rename'), from: Name, to: Name }, closed)
/** Keeps the rows of which it is true. A number is compared as one, a text byte by byte. */
const Filter = Type.Object(
  {
    do: Type.Literal('filter'),
    column: Name,
    is: words('=', '!=', '<', '<=', '>', '>=', 'in', 'not in', 'missing', 'present'),
    value: Type.Optional(Type.Union([Value, Type.Number()])),
    values: Type.Optional(Type.Array(Value, { minItems: 1, maxItems: 1_000 })),
  },
  closed,
)
const Derive = Type.Object(
  {
    do: Type.Literal('derive'),
    part: words('year', 'quarter', 'month', 'week', 'day', 'weekday', 'day-of-year', 'hour'),
    as: Name,
  },
  closed,
)

/** A run of zeros of this length or more, or a column that says so. */
const StockOuts = Type.Object(
  {
    column: Type.Optional(Name),
    /** What the column says where it was sold out. */
    values: Type.Optional(Type.Array(Value, { minItems: 1, maxItems: 20 })),
    zeros: Type.Optional(Type.Integer({ minimum: 2, maximum: 10_000 })),
  },
  closed,
)

/** Hampel's filter: further from the median of a window than some scaled median deviations. */
const Outliers = Type.Object(
  {
    do: words('flag', 'repair'),
    /** Observations on each side. */
    reach: Type.Optional(Type.Integer({ minimum: 2, maximum: 500 })),
    threshold: Type.Optional(Type.Number({ minimum: 1, maximum: 100 })),
  },
  closed,
)

/** The medians of two windows side by side differ by some scaled median deviations. */
const LevelShifts = Type.Object(
  {
    do: words('flag', 'repair'),
    /** Observations in each of the two. */
    window: Type.Optional(Type.Integer({ minimum: 5, maximum: 1_000 })),
    threshold: Type.Optional(Type.Number({ minimum: 1, maximum: 100 })),
  },
  closed,
)

const Gaps = Type.Object(
  {
    fill: words('leave', 'zero', 'forward', 'interpolate'),
    /** Periods without a row, or also those whose value is missing. */
    of: Type.Optional(words('absent', 'missing')),
    /** Up to the last observation of the series, or of the table. */
    until: Type.Optional(words('series', 'table')),
  },
  closed,
)

/** A recipe but for its source and steps, of each of which there are several kinds. */
export const Frame = Type.Object(
  {
    source: Type.Object({ format: words('csv', 'ndjson', 'parquet') }),
    time: Time,
    target: Name,
    /** The columns whose values make a series' key, in this order; without them it is one series. */
    keys: Type.Optional(Type.Array(Name, { maxItems: limits.keysMax })),
    features: Type.Optional(Type.Array(Feature, { maxItems: limits.featuresMax })),
    steps: Type.Optional(
      Type.Array(Type.Object({ do: words('select', 'drop', 'rename', 'filter', 'derive') }), {
        maxItems: limits.stepsMax,
      }),
    ),
    frequency: words(...frequencies),
    /** What becomes of the rows of a period. */
    aggregate: Type.Optional(words('sum', 'mean', 'count', 'min', 'max')),
    /** Rows with the same keys and the same time; `keep`: all count. */
    duplicates: Type.Optional(words('keep', 'refuse', 'sum', 'mean', 'first', 'last')),
    stockOuts: Type.Optional(StockOuts),
    levelShifts: Type.Optional(LevelShifts),
    outliers: Type.Optional(Outliers),
    gaps: Type.Optional(Gaps),
  },
  closed,
)

export const sources = { csv: CsvSource, ndjson: NdjsonSource, parquet: ParquetSource }
export const steps = { select: Select, drop: Drop, rename: Rename, filter: Filter, derive: Derive }

export type Source = Static<typeof CsvSource | typeof NdjsonSource | typeof ParquetSource>
export type Step = Static<(typeof steps)[keyof typeof steps]>
export type FilterStep = Static<typeof Filter>
export type DatePart = Static<typeof Derive>['part']

/** What is to be done with a table, as a user writes it. */
export type GivenRecipe = Omit<Static<typeof Frame>, 'source' | 'steps'> & {
  readonly source: Source
  readonly steps?: readonly Step[]
}
