/** A column that predicts: a number, a category, or a part of a date. */
export type RegressionFeature =
  | { readonly column: string; readonly type: 'number' | 'category' }
  | { readonly column: string; readonly type: 'year' | 'month' | 'day' | 'weekday' }

/** Rows are assembled from features, and a model predicts the target from them. */
export type RegressionSpec = {
  readonly target: string
  readonly features: readonly RegressionFeature[]
  readonly model:
    | { readonly kind: 'linear' }
    | {
        readonly kind: 'forest'
        readonly trees: number
        readonly depthMax: number
        /** Rows that a leaf has at least. */
        readonly leafMin: number
        readonly seed: number
      }
}

/** A row's values by the names of their columns. */
export type RegressionRow = ReadonlyMap<string, string | null>
