/** Every bound of the system in one place: unit in the name, reason beside it. */
export const limits = {
  /** Long enough to survive garbage collection and a slow disk, short enough to notice a death. */
  leaseTtlMs: 10_000,
  /** Promotion waits this long for every node before a majority is enough. */
  promotionPatienceMs: 3_000,
  /** A target that is not ready by then is given up, so that a bad version undoes itself. */
  rolloutDeadlineMs: 60_000,
  /** While nodes cannot read the store it is kept for longer: an outage is not its fault. */
  rolloutUnreadMs: 600_000,
  /** A node keeps the version before the serving one this long, for brokers that look late. */
  versionGraceMs: 30_000,
  /** A fit that has killed this many nodes is taken to be the killer. */
  fitAttemptsMax: 3,
  /**
   * A shard that has ended so many processes is given the simplest models there are, which should
   * end well.
   */
  shardPatienceAttempts: 3,
  /** One that ends processes even so fails its job. */
  shardAttemptsMax: 6,
  /** Series of one shard: some seconds of fitting where each is short. */
  shardSeriesMax: 2_000,
  /** Observations of one shard: about as long where each is long; 1 MB. */
  shardObservationsMax: 120_000,
  /** Shards that joined data is cut into: of more of it shards are larger, too. */
  joinedShardsAimed: 800,
  /** Result codes that a version of many series counts: more would be a fault of the engine. */
  resultCodesMax: 50,
  /** Shards of one version: so many small records in the coordinator while it is fitted. */
  shardsMax: 1_000,
  /**
   * Nodes that lost a fit to an outage, and live, mostly give its attempt back within two seconds.
   * A lease may have to end before it, and all is to be well soon after that.
   */
  exhaustedGraceMs: 5_000,
  /** A forecast takes microseconds to milliseconds: a second means that the node is not well. */
  tryTimeoutMs: 1_000,
  /** Tries of one request, the first included, before it waits; and nodes it may break. */
  triesMax: 3,
  /** Retries as a share of requests: more would double the load of a cluster already ill. */
  retryShareMax: 0.2,
  /** A user waits this long for a node to become ready before a 503. */
  nodeWaitMs: 10_000,
  /** How long `POST …/fit` waits for the version to serve before it answers 202. */
  fitWaitMs: 60_000,
  /** One unary call to the coordinator. */
  coordinatorCallMs: 1_000,
  /** By then it is known whether a fit can be begun: it is refused within a second. */
  fitLookMs: 800,
  /** One read or write of one chunk in the store. */
  storeCallMs: 3_000,
  /** Chunks of one blob under way at once: 2 MB hide the round trips, and are soon forgotten. */
  storeChunksInFlight: 8,
  /** Calls that wait for the store in one process; one more is refused at once. */
  storeCallsWaitingMax: 1_000,
  /** Nodes spread small loads over this time, so that the store is not asked by all at once. */
  loadJitterMs: 50,
  /** Models below this size are loaded after the jitter; larger ones wait for their turn anyway. */
  loadJitterBytesMax: 1_048_576,
  /** A node without a lease is tried, after all others, for this long: it may still be serving. */
  unconfirmedNodeMs: 600_000,
  /** Everything reconciles at least this often, whatever the watch says. */
  reconcileMs: 10_000,
  /** A watch that says nothing for this long is rebuilt. */
  watchSilenceMs: 15_000,
  /** While draining a process still answers, so that callers with an old view notice nothing. */
  drainAnswerMs: 3_000,
  /** A drain that takes longer than this is cut short. */
  drainMs: 25_000,
  /** Garbage younger than this may belong to an upload in progress. */
  garbageAgeMs: 86_400_000,
  /** Transactions: as many as etcd's own default allows with room to spare. */
  transactionComparisonsMax: 100,
  transactionOperationsMax: 100,
  /** A transaction as a whole: etcd refuses requests beyond 1.5 MiB. */
  transactionBytesMax: 1_048_576,
  /** A key in the coordinator: people read them, and etcd keeps them all in memory. */
  keyBytesMax: 1_024,
  /** A lease: longer ones would keep the keys of the dead. */
  leaseTtlMaxMs: 3_600_000,
  /** Watches ask this often how fresh they are: three times before they count as silent. */
  watchProgressMs: 5_000,
  /** A broken watch is tried again at least this often: a view of seconds ago is good enough. */
  watchRetryMsMax: 2_000,
  /** Revisions whose history the embedded coordinator keeps; compacted at twice as many. */
  historyRevisionsKept: 10_000,
  /** Transactions that share one sync of the embedded coordinator's disk. */
  embeddedBatchMax: 256,
  /** Transactions that wait for the embedded coordinator's disk; one more is refused at once. */
  embeddedQueueMax: 10_000,
  /** A commit of the embedded coordinator: a healthy disk syncs in milliseconds, a busy one not. */
  embeddedCommitMs: 5_000,
  /** A value in the coordinator: it holds pointers and states, never data. */
  valueBytesMax: 65_536,
  /** A spec with its defaults: it is part of a version's record, and leaves room for the rest. */
  specBytesMax: 32_768,
  /** A chunk in the store: rows of some hundred kB are good in CQL, MB are mediocre. */
  chunkBytes: 262_144,
  /** A blob as a whole; buffers are sized from manifests: a damaged one must not ask for more. */
  blobBytesMax: 268_435_456,
  /** The index of a version of many series: 1,000 shards with long keys are some 2 MB. */
  shardIndexBytesMax: 8_388_608,
  /** Indexes that one broker keeps, as stored: a hundred versions of a million series. */
  shardIndexesBytesMax: 33_554_432,
  /** A forecast waits so long for its version's index; without it another node may load a shard. */
  shardIndexPatienceMs: 250,
  /** An index that could not be read is not asked for again for so long. */
  shardIndexRestMs: 1_000,
  /** What a node that has this many requests does besides does not count as more than its share. */
  sharedRequestsMin: 8,
  /** Answers of many series that one broker streams at once: each holds some MB. */
  streamsMax: 8,
  /** One part of a stream: a node computes for a quarter second, after others, and may load. */
  streamPartMs: 10_000,
  /** A stream that no node goes on with for this long is broken off. */
  streamPatienceMs: 30_000,
  /** A file that a user brings: some 100 million rows. A setting may change it. */
  fileBytesMax: 10_737_418_240,
  /** Anything of files but their content; busy object stores take seconds at times. */
  fileCallMs: 10_000,
  /** One part of a file, or its end, which object stores may have to put together. */
  fileTransferMs: 60_000,
  /** A part as object stores take it: two of them are in memory for each file that is written. */
  filePartBytes: 8_388_608,
  /** Read at once from a folder. */
  fileReadBytes: 262_144,
  /** Who sends nothing for so long is not going to send the rest. */
  fileIdleMs: 30_000,
  /** Who reads a file may be busy with its first half for a while. */
  fileReaderIdleMs: 600_000,
  /** A file as a whole: over before its writer could be taken for dead, see `garbageAgeMs`. */
  fileWriteMs: 43_200_000,
  /** Files that one process writes and reads at once. */
  fileTransfersMax: 32,
  /** Other calls about files at once, and those of both kinds that wait. */
  fileCallsMax: 32,
  fileCallsWaitingMax: 100,
  /** Files that are on their way into one broker: 16 MB each, where an object store is behind. */
  uploadsMax: 8,
  /** Who sends less in a second would hold a place for days. */
  uploadRateMin: 16_384,
  /** Files that one broker gives out at once. */
  downloadsMax: 16,
  /** Files of one form; each is stored before the next one is looked at. */
  formFilesMax: 100,
  /** A message: it names a file and says what to do with it, and holds no data. */
  messageBytesMax: 1_048_576,
  /** One call to where messages are; a Kafka that elects a leader takes seconds. */
  messageCallMs: 5_000,
  /** The first pause before what failed is tried again; doubles up to the longest one. */
  messagePauseMs: 250,
  messagePauseMaxMs: 2_000,
  /** A broker that is silent for so long loses its partitions to others; Kafka allows no less. */
  messageSessionMs: 6_000,
  /** How often it says something: three times before it counts as gone. */
  messageHeartbeatMs: 2_000,
  /** A rebalance may take so long: all members answer within two heartbeats. */
  messageRebalanceMs: 20_000,
  /** How long Kafka may hold a request for messages back until there are some. */
  messagePollMs: 500,
  /** Messages that are fetched ahead, in bytes: what is large comes alone. */
  messageFetchBytes: 4_194_304,
  /** Messages that wait in the embedded log: each is a fit to come; one more is refused. */
  messagesWaitingMax: 10_000,
  /** Dead letters that the embedded log keeps; older ones go. */
  deadLettersKept: 10_000,
  /** So much of a dead letter is shown in a list. */
  deadLetterShownBytes: 65_536,
  /** The message in hand may be finished for so long when a broker stops. */
  messageStopMs: 3_000,
  /** Looks at tables that one broker has under way. */
  looksMax: 8,
  /** One look: a process starts, and a Parquet file has to be brought first. */
  lookMs: 20_000,
  /** What asks for one: a source with the names of a thousand columns. */
  lookBodyBytesMax: 262_144,
  /** Versions of a model kept in the coordinator; older ones go to the store. */
  versionsKept: 100,
  /** Registrations compared when a version is promoted. */
  promotionHoldersMax: 32,
  /** A user's request body: a million observations as text and some room. */
  bodyBytesMax: 33_554_432,
  /** Rows in one order of predictions to a node: some ten milliseconds of its work. */
  predictedRowsMax: 1_000,
  /** The same in bytes of cells, where they are long; one row may be longer. */
  predictedBytesMax: 262_144,
  /** Bodies of rows in JSON: parsed at a stretch. Of CSV they may have `bodyBytesMax`. */
  predictJsonBytesMax: 2_097_152,
  /** Answers of predictions that one broker streams at once: each holds its body. */
  predictionsMax: 4,
  /** Bodies that are on their way into one process, together: four of the largest. */
  arrivingBodyBytesMax: 134_217_728,
  /** Of a refused request so much is read and dropped to keep its connection; else it is closed. */
  unwantedBodyBytesMax: 1_048_576,
  /** A request's headers arrive at once, except from those who want to keep a connection busy. */
  headersMs: 10_000,
  /** A whole request: the largest body at a megabyte a second, which few uplinks do not reach. */
  requestMs: 30_000,
  /** How often connections are looked at: how much longer than the above one may last. */
  connectionsCheckMs: 1_000,
  /** Between two requests: longer than the minute of most proxies, so that they close first. */
  keepAliveMs: 75_000,
  /** Nothing sent, nothing taken: longer than the longest wait for an answer, which is a fit's. */
  silentConnectionMs: 90_000,
  /** Below the number of files that systems let a server open; an idle one costs some 10 kB. */
  connectionsMax: 16_384,
  /**
   * Connections that wait to be taken. Beyond it the system drops what arrives, and who else wants
   * to connect waits for the second after which TCP tries again. Systems allow no more by default.
   */
  connectionsWaitingMax: 4_096,
  /** Headers of one request: browsers behind several proxies send some 50. */
  headersMax: 200,
  /** Headers and URL of one request, the default of Node; cookies of other sites fit, too. */
  headersBytesMax: 16_384,
  /** A connection that is refused may take the reason within this. */
  lastWordsMs: 2_000,
  /** One part of a path, encoded: names have at most 63 characters, cursors are elsewhere. */
  pathPartCharactersMax: 200,
  /** Observations in one fit. */
  observationsMax: 1_000_000,
  /** Observations that one call adds to a series, those missing before them included. */
  newObservationsMax: 10_000,
  /** Versions that are looked at, from the newest down, for one that did not fail. */
  baseLooksMax: 20,
  /** Steps in one forecast: 10,000 numbers are some 200 kB of text. */
  horizonMax: 10_000,
  /** Levels in one forecast. */
  levelsMax: 10,
  /** Steps ahead of each origin of a backtest: its result tells of each of them. */
  backtestHorizonMax: 1_000,
  /** Origins of a backtest: each may be a fit of every series. */
  backtestWindowsMax: 200,
  /** Observations from one origin to the next. */
  backtestStepMax: 10_000,
  /** The season that errors are scaled by: a year of hours, and some. */
  backtestSeasonMax: 10_000,
  /** Series of one shard of a backtest that is not cut any further: a claim is not worth fewer. */
  backtestPartSeries: 50,
  /** A request for a backtest: a spec, and settings of some words. */
  backtestBodyBytesMax: 65_536,
  /** Versions, one an update of the other, whose data a backtest takes together. */
  backtestBasesMax: 50,
  /** Versions whose data a refit of many series joins: one transaction compares them all. */
  refitPartsMax: 80,
  /** Results of series that one broker reads or streams at once: each holds one shard of them. */
  backtestReadsMax: 8,
  /** Repeated fits under one Idempotency-Key find their job for a day. */
  idempotencyKeyMs: 86_400_000,
  /** Finished jobs stay in the coordinator this long, then live in the store. */
  finishedJobMs: 86_400_000,
  /** The response cache of one broker, in bytes of bodies. */
  responseCacheBytes: 67_108_864,
  /** Questions that a full cache knows when they come again: 256 kB. A power of two. */
  doorkeeperPlaces: 65_536,
  /** Questions that a broker answers ahead of its framework: some hundred bytes each; 0: none. */
  familiarQuestionsMax: 10_000,
  /** Models that a node keeps in memory beyond the placed ones, for pinned versions. */
  onDemandModelsMax: 16,
  /** Forecasts that wait for a node in one broker; one more is refused at once. */
  waitingRequestsMax: 1_000,
  /** Fits that wait in one node; one more is refused and goes elsewhere. */
  queuedFitsMax: 4,
  /** Page size of lists. */
  pageItemsMax: 100,
  /** Wall seconds that one fit may take in its worker before it is stopped. */
  fitMs: 600_000,
  /** Connections of one broker to one node; more gained nothing where it was measured. */
  nodeConnections: 32,
  /** Requests of one broker that one node has open; more would only queue up behind each other. */
  nodeRequestsMax: 512,
  /** The same while it is overloaded: enough to keep it busy, few enough to wait for. */
  overloadRequestsMax: 16,
  /** A queue that is answered within this is no overload, however fast it grows. */
  overloadQueueMs: 50,
  /** A node that gives few answers in so long is not overloaded. */
  overloadCalmMs: 2_000,
  /** What a node may answer to a forecast: 10,000 steps with ten levels stay far below. */
  nodeAnswerBytesMax: 16_777_216,
  /** The first rest of a node that failed a request; doubles up to the longest one. */
  nodeRestMs: 250,
  nodeRestMaxMs: 10_000,
  /** Retries that may follow each other at once, before their share of all requests counts. */
  retryReserve: 100,
  /** Retries that are allowed however few requests come: so that those that wait find a node. */
  retriesPerSecondMin: 10,
  /** A stored version that does not serve is fetched from the store before the answer. */
  pinnedTryTimeoutMs: 10_000,
  /** The first pause of a request that waits for a node; doubles up to the longest one. */
  waitPauseMs: 50,
  waitPauseMaxMs: 1_000,
  /** A model that was looked up and is unknown is not looked up again for so long. */
  unknownModelMs: 1_000,
  /** Fit bodies that one broker takes in at once: each may have `bodyBytesMax`. */
  fitBodiesMax: 4,
  /** Larger fit bodies are parsed in a thread: 64 kB take about a millisecond. */
  fitBodyInlineBytes: 65_536,
  /** Clients that wait in one broker for the outcome of their fit. */
  fitsWaitingMax: 1_000,
  /** A job without a claim is left this long to the broker that accepted it. */
  dispatchPatienceMs: 1_000,
  /** An accepted order that led to no claim is given to a node again after so long. */
  dispatchAgainMs: 2_000,
  /** Jobs that one broker hands to nodes at the same time. */
  dispatchesMax: 16,
  /** Finished jobs in the coordinator, whatever their age. */
  finishedJobsMax: 1_000,
  /** Promotions of a model that its log keeps in the coordinator. */
  logEntriesKept: 200,
  /** Garbage is looked for this often, by one broker at a time. */
  garbageEveryMs: 3_600_000,
  /** Processes that are gone, whose temporary files are looked for at once; others, later. */
  scratchSweptMax: 1_000,
  /** Schedules of one tenant: each is looked at every time that any is due. */
  schedulesMax: 100,
  /** What a schedule is to begin, as JSON: with its runs it is one record of the coordinator. */
  scheduleActionBytesMax: 32_768,
  /** Runs that a schedule remembers. */
  scheduleRunsKept: 20,
  /** Schedules are in minutes; one that is due is seen within this. */
  scheduleLookMs: 1_000,
  /** Missed instants are counted so far: nobody needs to know more. */
  missedInstantsMax: 1_000,
  /** Updates whose accuracy a version tells, its own among them. */
  accuracyUpdatesMax: 50,
  /** Rules of retraining of one tenant: each is looked at every twenty seconds or oftener. */
  retrainingsMax: 1_000,
  /**
   * Observations that live accuracy is judged by, unless a rule says another number: where errors
   * do not hang together their mean is off by a sixth (0.76 / √20), less than a limit leaves.
   */
  retrainingObservations: 20,
  /** Rest between two retrainings, unless a rule says so: a fit a day is what many have anyway. */
  retrainingRestSeconds: 86_400,
  /** Runs that a rule of retraining remembers. */
  retrainingRunsKept: 20,
  /** Updates come every minute at the most; what they say of accuracy is seen within this. */
  retrainingLookMs: 2_000,
  /** Rules judged at one look: half a millisecond where each model has a hundred versions. */
  retrainingsJudgedMax: 100,
  /** Where something is away the next try at one model waits, at last, for this long. */
  retrainingBackoffMs: 60_000,
  /** The most that a rule may wait for: ten updates of a hundred thousand series. */
  retrainingObservationsMax: 1_000_000,
  /** Rest between two retrainings, at most: a leap year. */
  retrainingRestSecondsMax: 31_622_400,
  /** A transaction that lost to another one is tried again so often. */
  contentionTriesMax: 10,
} as const
