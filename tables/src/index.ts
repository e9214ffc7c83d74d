export { csvOf } from './generate/csv.ts'
export { parquetOf } from './generate/parquet.ts'
export { makeSalesWorld, type SalesWorld } from './generate/sales.ts'
