export type { ArimaModel } from './arima/model.ts'
export type { ArimaSpec } from './arima/spec.ts'
export { type CutShard, cutSeries, type ShardSizes } from './batch/cut-series.ts'
export { fitMany } from './batch/fit-many.ts'
export { type FittedShard, fitShard, type ShardRun } from './batch/fit-shard.ts'
export { type JudgedShard, judgeShard, type KeyedVerdict } from './batch/judge-shard.ts'
export { type KnownSeries, knownSeries } from './batch/known-series.ts'
export {
  encodeShardData,
  faultOfData,
  type KeyedDescription,
  seriesAt,
} from './batch/shard-data.ts'
export { faultOfModels } from './batch/shard-rows.ts'
export { updateShard } from './batch/update-shard.ts'
export { checkWithin, parseBounds } from './bounds.ts'
export {
  type Column,
  claimedFamily,
  containerFormats,
  decodeContainer,
  encodeContainer,
} from './codec/container.ts'
export {
  compareKeys,
  decodeShard,
  encodeShard,
  type Shard,
  type ShardColumn,
  type ShardContent,
} from './codec/shard.ts'
export { type Anomalies, type Anomaly, findAnomalies } from './evaluate/anomalies.ts'
export {
  type Backtest,
  type BacktestPlan,
  backtest,
  type OriginResult,
} from './evaluate/backtest.ts'
export {
  type LiveScore,
  type LiveSum,
  liveScale,
  noLive,
  scoreNews,
  sumOfLive,
} from './evaluate/live.ts'
export {
  errorScale,
  type LevelScores,
  overallWeightedAverage,
  type Scale,
  type Scores,
  scoreForecast,
} from './evaluate/metrics.ts'
export {
  addErrors,
  addSteps,
  type ErrorColumns,
  errorColumns,
  meanErrors,
  medianErrors,
  type PooledErrors,
  pooled,
  sumOfSteps,
} from './evaluate/overall.ts'
export { type Errors, judge, type StepSums, type Trial, type Verdict } from './evaluate/verdict.ts'
export {
  checkSeries,
  decodeModel,
  encodeModel,
  explainModel,
  filterModel,
  fitModel,
  forecastModel,
  levelQuantiles,
  modelSizeBytes,
  parseSpec,
  prepareForecast,
  simulateModel,
  updateModel,
} from './facade.ts'
export type { AnyModel, AnySpec } from './families.ts'
export { defaultSpec } from './families.ts'
export type {
  Abilities,
  Ask,
  Bounds,
  Candidate,
  Columns,
  Components,
  Explained,
  Family,
  Forecast,
  Note,
  Outcome,
  Plan,
  Prepared,
  Refusal,
  Report,
  ReportValue,
  Run,
  Series,
} from './family.ts'
export { limits as engineLimits } from './limits.ts'
export { normalQuantile } from './numeric/normal.ts'
export { normalAt, seedOfKey, uniformAt } from './numeric/random.ts'
export type { Calendar, Step, Zone } from './series/calendar.ts'
export { instantsOf, stepAt } from './series/calendar-steps.ts'
export { calendarOf, type Description, describedSeries, instantOf } from './series/described.ts'
export {
  type Cleaned,
  type Cleaning,
  cleanObservations,
  type DuplicateRule,
  fixedGrid,
} from './series/duplicates.ts'
export { type Frequency, frequencies, isFrequency, seasonsOf, stepOf } from './series/frequency.ts'
export { type Gap, gapBefore, type KnownSteps } from './series/gap.ts'
export { type Filled, fillLinearly, fillSeasonally } from './series/gaps.ts'
export { textOfInstant } from './series/local-text.ts'
export { type Mstl, type MstlOptions, mstlDecompose } from './series/mstl-decompose.ts'
export { type Stl, type StlOptions, stl } from './series/stl.ts'
export { type Strengths, strengths } from './series/strength.ts'
export { isTimeZone, zoneFrom } from './series/zone-table.ts'
