import type { fitTable, prepareTable } from './prepare.ts'

/** What makes series of a table, or fits a regression to its rows; see `prepareTable`. */
export type TableReader = {
  readonly prepare: typeof prepareTable
  readonly fit: typeof fitTable
}

/** Reads tables in processes of their own. Only who has a table loads what that takes. */
export const processReader: TableReader = {
  prepare: async (...asked) => (await import('./prepare.ts')).prepareTable(...asked),
  fit: async (...asked) => (await import('./prepare.ts')).fitTable(...asked),
}
