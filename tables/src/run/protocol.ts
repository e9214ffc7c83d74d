import type { Fault } from '../fault.ts'
import type { TableLook } from '../infer/look.ts'
import type { Recipe } from '../recipe/recipe.ts'
import type { Source } from '../recipe/schema.ts'
import type { RegressionSpec } from '../regress/spec.ts'
import type { SparkAt } from '../spark/connect.ts'

/** What a process of tables is to do. */
export type TableJob = {
  readonly file: string
  readonly recipe: Recipe
  /** Where rejected and changed rows are written, as CSV. */
  readonly rejectsFile: string
  /** Where the table is written after all steps, as CSV; null: nowhere. */
  readonly cleanFile: string | null
  /** Who reads that; people, if not said. */
  readonly cleanFor?: 'people' | 'machine'
  /** A folder of its own, empty, for what does not fit in memory. */
  readonly folder: string
  /** About what the process may take; from 768 on for large files. */
  readonly memoryMb: number
  readonly threads: number
  /** About how many series a shard has. */
  readonly shardSeries: number
  /** Where Spark is, and its name for the place of this run; null: the work is done here. */
  readonly spark: (SparkAt & { readonly url: string }) | null
}

/** How far it is. Phases follow one another: rows are read, grouped, and made series. */
export type TableProgress = {
  readonly phase: 'read' | 'group' | 'series'
  /** Of the file; both are 0 where nobody can tell before the end. */
  readonly bytesRead: number
  readonly bytesAll: number
  readonly rows: number
  readonly series: number
  readonly seriesAll: number
}

/** How many rows or values met with something, and what. */
export type ReasonCount = {
  /** `read`, `steps/0` and so on, or the field of the recipe that asked for it. */
  readonly step: string
  readonly column: string
  readonly reason: string
  readonly outcome: RowOutcome
  readonly count: number
}

/** Rejected: not usable; dropped: not wanted; changed: with another value; flagged: as it was. */
export type RowOutcome = 'rejected' | 'dropped' | 'changed' | 'flagged'

export type TableSummary = {
  readonly columns: readonly string[]
  /** Records of the file, the rejected ones among them. */
  readonly rows: number
  readonly rejected: number
  readonly dropped: number
  readonly reasons: readonly ReasonCount[]
  readonly series: number
  readonly shards: number
  readonly observations: number
  /** Observations without a value in the end. */
  readonly missing: number
  /** Periods without a row, and observations that were filled. */
  readonly absent: number
  readonly filled: number
  /** The first period of the table and the last one, ISO 8601. */
  readonly first: string
  readonly last: string
}

/** A shard of data as it is told: the parent reads its bytes from the file and deletes it. */
export type ShardMessage = {
  readonly kind: 'shard'
  readonly file: string
  readonly firstKey: string
  readonly series: number
  readonly observations: number
}

/** Rows for Spark: the parent puts the file where Spark finds it. */
export type PartMessage = { readonly kind: 'part'; readonly file: string }

/** What is said on the way to an answer. */
export type Telling =
  | ShardMessage
  | PartMessage
  | { readonly kind: 'progress'; readonly progress: TableProgress }
  | { readonly kind: 'fitting'; readonly fraction: number }

export type FromChild =
  | Telling
  | { readonly kind: 'regressed'; readonly fitted: RegressionFitted }
  | { readonly kind: 'done'; readonly summary: TableSummary }
  | { readonly kind: 'looked'; readonly look: TableLook }
  | { readonly kind: 'refused'; readonly faults: readonly Fault[] }
  | { readonly kind: 'failed'; readonly detail: string }
  /** Spark is not there, or not any more. */
  | { readonly kind: 'away'; readonly detail: string }

export type ToChild =
  | { readonly kind: 'run'; readonly job: TableJob }
  | { readonly kind: 'look'; readonly file: string; readonly source: Source | null }
  | { readonly kind: 'regress'; readonly job: RegressionJob }
  /** The last shard or part was taken; the next one may come. */
  | { readonly kind: 'taken' }
  /** Nobody wants to know any more; what others do for it is to be ended. */
  | { readonly kind: 'leave' }

/** A regression that is to be fitted to a clean table. */
export type RegressionJob = {
  readonly spec: RegressionSpec
  /** CSV, with a header. */
  readonly cleanFile: string
  /** Where the model is written. */
  readonly modelFile: string
}

export type RegressionFitted = {
  /** Rows that it was fitted on, and those that lacked a target or a feature. */
  readonly rows: number
  readonly unusable: number
  /** Of its features together. */
  readonly categories: number
  /** Of the rows that it was fitted on: the root of the mean of squared errors. */
  readonly errorOfFit: number
}
