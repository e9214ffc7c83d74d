/** Regressions without what reads tables: for who checks, keeps and asks them. */
export { type CsvRow, type CsvRows, readCsv } from '../lines/csv-rows.ts'
export { type AnsweredCsv, type AnsweredPiece, answerCsv } from './answer-csv.ts'
export { answeredHeader, answeredRow, columnsOf, lackOf, noHeader } from './answered-rows.ts'
export type { Unusable } from './assemble.ts'
export { parseRegression, type StoredRegression } from './parse-spec.ts'
export { makePredict, type Predict, type RegressionModel } from './predict.ts'
export type { RegressionFeature, RegressionRow, RegressionSpec } from './spec.ts'
export { decodeRegression, encodeRegression, regressionSizeBytes } from './storage.ts'
