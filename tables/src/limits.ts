/** Every bound of the reading of tables: unit in the name, reason beside it. */
export const limits = {
  /** A column's name or a value to compare with. */
  nameCharactersMax: 200,
  /** Wider tables exist, but none that anybody maps by hand. */
  columnsMax: 1_000,
  /** Columns that make a key: it is text that people read. */
  keysMax: 8,
  featuresMax: 100,
  stepsMax: 100,
  /** A longer key is a column mapped by mistake; the index of shards holds their first keys. */
  keyCharactersMax: 1_000,
  /** One line of a file: longer ones are damage, and DuckDB takes no more than twice as many. */
  lineBytesMax: 1_048_576,
  /** A quoted field with line breaks: a quote that is open for longer was never closed. */
  recordBytesMax: 65_536,
  /** Of a rejected row this much is kept, so that a damaged file does not make a larger one. */
  rejectedCharactersMax: 2_000,
  /** Text that is handed to DuckDB at once: a second of work, and little disk. */
  pieceBytes: 67_108_864,
  /** Series in a shard: the fit of one takes seconds, far more than a claim of it costs. */
  shardSeries: 2_000,
  /** Observations in a shard where series are long: about as much work, and 1 MB. */
  shardObservations: 120_000,
  /** Shards that a table is cut into: of larger ones shards are larger, too. */
  shardsAimed: 800,
  /** Periods of one series, those without a row included: more than a century of hours. */
  periodsMax: 1_000_000,
  /** Of a compressed file: a small one must not fill the disk. */
  unpackedBytesMax: 1_099_511_627_776,
  /** One statement of Spark: all that is done with a large table is a handful of them. */
  sparkQueryMs: 3_600_000,
  /** Spark ends a stream of answers after two minutes, to go on in another: so it is alive. */
  sparkStreamMs: 150_000,
  /** A stream that breaks is tried again so often, after a wait that grows by this much. */
  sparkVainTriesMax: 4,
  sparkTryAgainMs: 500,
  /** A call of Spark that does no work: to interrupt, and to end a session. */
  sparkCallMs: 3_000,
  /** Who speaks to Spark has so long to end what is under way there: two such calls. */
  sparkLeaveMs: 8_000,
  /** Spark cuts its answers into batches of 4 MiB, but for a single row that is larger. */
  sparkMessageBytesMax: 134_217_728,
  /** Of a long answer so much is asked for at once: Spark's driver holds all of it. */
  sparkPageBytes: 33_554_432,
  /** Progress is told no oftener than this. */
  progressMs: 500,
  /** The beginning of a file that is looked at to propose a recipe. */
  lookBytes: 1_048_576,
  /** Rows of it, and values of each column that are shown. */
  lookRows: 1_000,
  samplesShown: 5,
  /** Of a column's values so many may be none of its kind: lines of totals, broken ones. */
  misfitShareMax: 0.05,
  /** Rows that a regression is fitted on; all of them are in memory, as numbers. */
  regressionRowsMax: 1_000_000,
  /** Values of such rows, targets included: 128 MB, and as much again while they come. */
  regressionValuesMax: 16_000_000,
  /** The same of a linear regression, with a column for each category: it has them four times. */
  linearValuesMax: 8_000_000,
  /** Categories of all features: each is text in the model. */
  categoriesMax: 100_000,
  treesMax: 500,
  treeDepthMax: 30,
  /** Of all trees of a forest: 24 MB, which is decoded in a tenth of a second. */
  treeNodesMax: 1_000_000,
  /** Columns of a linear regression: a matrix of their squares is inverted. */
  linearColumnsMax: 300,
} as const
