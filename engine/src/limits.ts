/** Every bound of the engine in one place: unit in the name, reason beside it. */
export const limits = {
  /** Observations in one series: 128 MiB of doubles, beyond which a series is a mistake. */
  observationsMax: 16_777_216,
  /** Squares and sums of squares of values up to this stay far from overflow. */
  magnitudeMax: 1e150,
  /** Filled levels and states grow out of data within `magnitudeMax`, by no more than this. */
  stateMagnitudeMax: 1e200,
  /** Steps in one forecast. */
  horizonMax: 10_000,
  /** Quantiles in one forecast: every percentile and one more. */
  quantilesMax: 100,
  /** Seasons of one series: a day, a week and a year, and one more. */
  seasonsMax: 4,
  /** The length of a season: a year of five-minute steps. */
  seasonLengthMax: 110_000,
  /** Regressors of one series. */
  regressorsMax: 100,
  /** Values of all simulated paths of one call: 128 MiB of doubles. */
  simulatedMax: 16_777_216,
  /** Origins of one backtest. */
  originsMax: 10_000,
  /** Missing values after the last observation: each one is a step of the forecast. */
  pendingMax: 10_000,
  /** Steps that one update adds to a series of a shard, those missing before them included. */
  newObservationsMax: 10_000,
  /** Steps of an update that are compared with what was foreseen: as far as a backtest looks. */
  liveStepsMax: 1_000,
  /**
   * What one error counts for at most where those of many series are added up, in scales of its
   * series: usual errors are a tenth of it, and one of 100 series adds no more than 0.1 to a mean.
   */
  liveErrorMax: 10,
  /** Autoregressive or moving-average terms: the exact covariance costs its third power. */
  orderMax: 32,
  /** Seasonal terms of an ARIMA of either kind. */
  seasonalOrderMax: 8,
  /** Lags of a seasonal ARIMA's polynomials: a season of a year of days, and some. */
  expandedLagsMax: 400,
  /** Ordinary differences: a third one has no use in practice and explodes the variance. */
  differencesMax: 2,
  /**
   * The lag of the seasonal difference: a year of five-minute steps. A model keeps a lag of levels.
   */
  differenceLagMax: 110_000,
  /** Steps of one optimisation; the worst reference takes a tenth. */
  iterationsMax: 300,
  /** Observations, or missing values, that a model has seen in all its updates: far below 2³¹. */
  countMax: 1_073_741_824,
  /** The season of an exponential smoothing that is asked for: one free state per observation. */
  etsSeasonLengthMax: 400,
  /** Seasons longer than this are for a decomposition; an automatic smoothing leaves them out. */
  etsAutomaticSeasonMax: 24,
  /** Points between two looks at `shouldStop`: 1,024 steps of the slowest filter take 5 ms. */
  pollPoints: 1_024,
  /** A model container: the store refuses larger blobs anyway. */
  containerBytesMax: 268_435_456,
  /** Arrays in one container. */
  arraysMax: 64,
  /** Bytes of a name in a container. */
  nameBytesMax: 32,
} as const
