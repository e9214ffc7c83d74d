/** Bounds of one node that no other part knows of: unit in the name, reason beside it. */
export const bounds = {
  /** Loads from the store at once: more would compete for the same connection. */
  loadsAtOnceMax: 4,
  /** Loads of pinned versions under way; one more is refused, for memory is bounded. */
  onDemandLoadsMax: 8,
  /** Shards in memory unless set: some hundred of them, with two thousand series each. */
  shardMemoryMb: 256,
  /** Shards that are read from the store at once: each is in memory twice for a moment. */
  shardLoadsAtOnceMax: 4,
  /** Shards that are read or wait for it: more would not be there in time. */
  shardLoadsMax: 128,
  /** Requests that wait for shards; one more is refused. */
  shardWaitersMax: 1_000,
  /** A forecast waits so long for its shard: less than a broker waits for a node. */
  shardPatienceMs: 800,
  /** Who asks for many series can wait for longer, but still less than brokers wait for him. */
  shardPatienceOfManyMs: 5_000,
  /** Larger shards are read one after the other, with large models: they may be 100 MB. */
  largeShardBytes: 16_777_216,
  /** Of a version that is about to serve so many shards are looked for at once. */
  shardChecksAtOnce: 8,
  /** What was asked for of the version before is read ahead for so long, so much at once. */
  shardsAheadMs: 3_000,
  shardsAheadAtOnce: 2,
  /** At most this share of the memory for shards: what serves needs its own until then. */
  shardsAheadShare: 0.5,
  /** A shard that is damaged is not read again for so long, and so many are remembered. */
  damagedShardMs: 5_000,
  damagedShardsMax: 1_000,
  /** Numbers in one answer of many series: some 2 MB of text. */
  manyAnswerCellsMax: 100_000,
  /** Characters, where keys and times are longer than the numbers; no broker takes 16 MB. */
  manyAnswerCharactersMax: 4_000_000,
  /** Such an answer ends after so long: who waits behind it has a request to answer, too. */
  manyAnswerMs: 250,
  /** So long it computes until others have their turn. */
  manyAnswerTurnMs: 4,
  /** Answers of many series that wait for their turn; one more is refused. */
  manyAnswersWaitingMax: 16,
  /** Former serving versions of one model that are kept during their grace. */
  formerVersionsMax: 4,
  /** Bytes of answers kept for repeated questions. */
  answerCacheBytes: 33_554_432,
  /** What is kept of versions for levels to come: a handful of simulated forecasts. */
  preparedBytes: 67_108_864,
  /** Models whose longest horizon is remembered: the others' first forecast takes longer. */
  warmModelsMax: 1_000,
  /** Steps up to which it is kept: two thousand paths of as many steps take 16 MB. */
  preparedHorizonMax: 1_000,
  /** Numbers in an answer that is computed at once: about a millisecond. */
  answerCellsAtOnce: 8_192,
  /** Large answers that wait for their turn; one more is refused. */
  largeAnswersWaitingMax: 32,
  /** A fitting thread that nobody needed for so long is ended: it starts again in half a second. */
  idleThreadMs: 60_000,
  /** A worker that was told to stop polls every 10 ms; after this it is ended. */
  workerStopMs: 2_000,
  /** Likelihood evaluations × observations: minutes of work, far beyond any sane fit. */
  fitWorkMax: 20_000_000_000,
  /** Heap of one fitting thread unless set: a million observations as text and room. */
  fitMemoryMb: 1_024,
  /** Tries to claim one order before it is left to the broker, which orders again. */
  claimTriesMax: 3,
  /** Series of one shard that end their threads, each by itself, before all are passed over. */
  shardCrashesMax: 10,
  /** Who was not the first to claim a shard looks for another one within this. */
  contendedShardMs: 200,
  /** Indexes of data and bases that are kept between shards: those of the jobs under way. */
  fitIndexesBytes: 16_777_216,
  /** Jobs of shards that one node works on by turns; one more goes elsewhere. */
  shardJobsMax: 8,
  /** Of the rows of a table that were rejected or changed, so many bytes are kept: some 100,000. */
  rejectsBytesMax: 16_777_216,
  /** Of a job of more shards than these it is not told how far each of them is. */
  toldShardsMax: 16,
  /** One shard of a backtest takes as many fits as it has origins, but no longer than this. */
  backtestMs: 3_600_000,
  /** The parts of one shard of data that are joined: mostly some MB; 0.5 GB with their copies. */
  joinedPartsBytesMax: 134_217_728,
  /** Looks at tables that run or wait, one after the other: each is a process. */
  looksMax: 4,
  /** Of Parquet the end says where all else is: so much is brought for a look. */
  lookParquetBytesMax: 268_435_456,
  /** Of a value that a look shows. */
  lookCharactersMax: 200,
  /** A table is read within this: some hundred million rows. */
  tableMs: 3_600_000,
  /** So long a fit of a table waits for what it needs, before it lets others go first. */
  tableAwayMs: 600_000,
  /** Of the process that reads a table, unless set; beyond it its database uses the disk. */
  tableMemoryMb: 768,
  /** Larger files go to Spark where there is one: below, a node is about as fast by itself. */
  sparkOverMb: 2_048,
  /** A node looks once, at its start, whether somebody listens there. */
  sparkReachMs: 3_000,
  /** What a run left at Spark's place is removed after this: longer than any run takes. */
  sparkPlaceMs: 86_400_000,
  /** Runs that are looked at for that, at the beginning of another one. */
  sparkPlacesMax: 1_000,
  /** A call of its object store, to write a part or to remove what is left. */
  sparkPlaceCallMs: 300_000,
  /** A node looks so often whether it can give back an attempt that an outage cost. */
  returnAttemptEveryMs: 1_000,
  /** It does so for longer than outages mostly last. */
  returnAttemptMs: 600_000,
  /** Attempts of fits older than this are not given back: something else is wrong with them. */
  returnAttemptAgeMs: 3_600_000,
  /** Attempts to be given back at once; of more than these nobody keeps account. */
  returnsMax: 100,
  /** Models with a gauge of their own: metrics must not grow with customers. */
  meteredModelsMax: 100,
  /** A prediction from file to file ends within this: 10 GiB of short rows take two hours. */
  predictFileMs: 14_400_000,
  /** Heap of its thread: a model of a million nodes, its categories, and some pieces of text. */
  predictThreadMb: 512,
  /** Orders of predictions that wait for their turn; one more is refused. */
  predictOrdersWaitingMax: 32,
  /** Such an order: a row may be of a megabyte, of which each character is written as six. */
  predictOrderBytesMax: 16_777_216,
  /** An internal body is one job id. */
  internalBodyBytesMax: 4_096,
} as const
