export type { Fault, Outcome } from './fault.ts'
export { csvOf } from './generate/csv.ts'
export { parquetOf } from './generate/parquet.ts'
export { makeSalesWorld, type SalesWorld } from './generate/sales.ts'
export type { LookColumn } from './infer/columns.ts'
export type { TableLook } from './infer/look.ts'
export { startsAsGzip } from './lines/gzip.ts'
export { parseRecipe } from './recipe/parse.ts'
export type { Recipe } from './recipe/recipe.ts'
export type { GivenRecipe, Source } from './recipe/schema.ts'
export { type RegressionFile, readTraining } from './regress/files.ts'
export { fitRegression, fitTraining } from './regress/fit.ts'
export type {
  ReasonCount,
  RegressionFitted,
  TableProgress,
  TableSummary,
} from './run/protocol.ts'
export { type RegressionResult, runRegression } from './run/run-regression.ts'
export {
  type DataShard,
  type LookResult,
  lookAtTable,
  runTable,
  type SparkPlace,
  type SparkRun,
  type TableConsumer,
  type TableResult,
  type TableRun,
} from './run/run-table.ts'
export { type Dialect, duckdb, spark } from './sql/dialect.ts'
export { escaped, partsOfKey } from './sql/keys.ts'
export { type Plan, planOf } from './sql/plan.ts'
export { type SeriesQuery, seriesQueryOf } from './sql/series.ts'
