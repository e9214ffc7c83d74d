import type { Dialect } from '../sql/dialect.ts'
import type { Plan } from '../sql/plan.ts'

/** What does the work on all rows at once: a database in this process, or Spark. */
export type Engine = {
  readonly dialect: Dialect
  /** Keeps the result of a query under a name, in an order if it will be asked for by parts. */
  readonly keep: (name: string, query: string, order?: string) => Promise<void>
  /** It is needed no more. */
  readonly drop: (name: string) => Promise<void>
  /** All rows of a short answer. */
  readonly rows: (sql: string) => Promise<readonly (readonly unknown[])[]>
  /** The rows of a long one, some thousand at a time. */
  readonly sorted: (query: SortedQuery) => AsyncGenerator<RowBatch, void>
}

/** A query whose answer may be larger than memory; its order says where it can be cut. */
export type SortedQuery = {
  readonly select: string
  /** A table, or a query with a name. */
  readonly from: string
  /** A column of whole numbers: of lines, each once, or of series. */
  readonly by: 'line' | 'id'
  /** The order within one of them. */
  readonly then?: string
  /** About how many bytes a row of the answer has, in SQL. */
  readonly rowBytes: string
}

export type RowBatch = {
  readonly rowCount: number
  /** A value of each column, by its row. */
  readonly columns: readonly ((row: number) => unknown)[]
}

/** Takes the rows of a file into `accepted` of an engine. */
export type Intake = {
  readonly dialect: Dialect
  /** The rows that a query of the local database has: line, f1, f2 … */
  readonly take: (rows: string, plan: Plan) => Promise<void>
  /** All of them were taken; there was one at least. */
  readonly end: (plan: Plan) => Promise<void>
}
