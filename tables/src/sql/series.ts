import type { Recipe } from '../recipe/recipe.ts'
import { featureName } from './plan.ts'

/** From the accepted rows to the observations of series; the same in all dialects. */
export type SeriesQuery = {
  /** Rows that have the keys and the time of another: how many, the first and the last. */
  readonly doubled: string | null
  /** A number for each key, in the order of their bytes. */
  readonly series: string
  /** A value for each period of each series. */
  readonly observations: string
  /** Rows that were left out, or whose value was. */
  readonly changes: readonly ChangeQuery[]
}

export type ChangeQuery = {
  readonly step: 'duplicates' | 'stockOuts'
  readonly reason: string
  readonly outcome: 'rejected' | 'dropped' | 'changed'
  /** Selects line, key, period and value. */
  readonly query: string
}

/** All of them need `accepted`; `observations` needs `series` and `doubled`, too. */
export function seriesQueryOf(recipe: Recipe): SeriesQuery {
  const isDoubling = recipe.duplicates !== 'keep'
  return {
    doubled: isDoubling ? doubled : null,
    series:
      'SELECT ROW_NUMBER() OVER (ORDER BY series_key) AS id, series_key ' +
      'FROM (SELECT DISTINCT series_key FROM accepted WHERE verdict = 0) keys',
    observations:
      `SELECT s.id AS id, r.period AS period, ${aggregateOf(recipe)} AS value` +
      featuresOf(recipe, ({ aggregate }, name) => `${aggregateName(aggregate)}(r.${name})`) +
      `\nFROM (${rowsOf(recipe)}) r JOIN series s ON r.series_key = s.series_key ` +
      'GROUP BY s.id, r.period',
    changes: [...duplicateChanges(recipe), ...stockOutChanges(recipe)],
  }
}

const doubled =
  'SELECT series_key, moment, COUNT(*) AS copies, MIN(line) AS first_line, ' +
  'MAX(line) AS last_line FROM accepted WHERE verdict = 0 ' +
  'GROUP BY series_key, moment HAVING COUNT(*) > 1'

const known = 'CASE WHEN a.sold_out THEN NULL ELSE a.value END'

function aggregateOf({ aggregate }: Recipe): string {
  return aggregate === 'mean' ? 'AVG(r.value)' : `${aggregate.toUpperCase()}(r.value)`
}

type Feature = Recipe['features'][number]

function featuresOf({ features }: Recipe, sqlOf: (feature: Feature, name: string) => string) {
  return features.map((one, i) => `, ${sqlOf(one, featureName(i))} AS ${featureName(i)}`).join('')
}

/** The rows that count, with what is known of their value. */
function rowsOf(recipe: Recipe): string {
  const copied = featuresOf(recipe, (_, name) => `a.${name}`)
  const joined =
    'FROM accepted a LEFT JOIN doubled d ON a.series_key = d.series_key AND a.moment = d.moment ' +
    'WHERE a.verdict = 0'
  switch (recipe.duplicates) {
    case 'keep':
      return (
        `SELECT a.series_key, a.period, ${known} AS value${copied} ` +
        'FROM accepted a WHERE a.verdict = 0'
      )
    case 'refuse': {
      const value = `CASE WHEN d.copies IS NULL THEN ${known} END`
      return `SELECT a.series_key, a.period, ${value} AS value${copied} ${joined}`
    }
    case 'first':
    case 'last': {
      const isKept = `(d.copies IS NULL OR a.line = d.${recipe.duplicates}_line)`
      const value = `${known} AS value`
      return `SELECT a.series_key, a.period, ${value}${copied} ${joined} AND ${isKept}`
    }
    case 'sum':
    case 'mean': {
      const merge = recipe.duplicates === 'sum' ? 'SUM' : 'AVG'
      const merged = featuresOf(recipe, ({ aggregate }, name) => {
        return `${aggregateName(aggregate)}(a.${name})`
      })
      return (
        `SELECT a.series_key, MIN(a.period) AS period, ${merge}(${known}) AS value${merged} ` +
        'FROM accepted a WHERE a.verdict = 0 GROUP BY a.series_key, a.moment'
      )
    }
  }
}

const aggregateName = (name: Feature['aggregate']) => (name === 'mean' ? 'AVG' : name.toUpperCase())

function duplicateChanges({ duplicates }: Recipe): readonly ChangeQuery[] {
  if (duplicates === 'keep') return []
  const { reason, outcome } = duplicateWords[duplicates]
  const from =
    'SELECT a.line AS line, a.series_key AS series_key, a.period AS period, a.value AS value ' +
    'FROM accepted a JOIN doubled d ON a.series_key = d.series_key AND a.moment = d.moment ' +
    'WHERE a.verdict = 0'
  const kept = duplicates === 'last' ? 'last_line' : 'first_line'
  const query = duplicates === 'refuse' ? from : `${from} AND a.line <> d.${kept}`
  return [{ step: 'duplicates', reason, outcome, query }]
}

const duplicateWords = {
  refuse: {
    outcome: 'rejected',
    reason: 'other rows have the same keys and time, so that none can be believed',
  },
  first: { outcome: 'dropped', reason: 'an earlier row has the same keys and time' },
  last: { outcome: 'dropped', reason: 'a later row has the same keys and time' },
  sum: {
    outcome: 'changed',
    reason: 'an earlier row has the same keys and time; they were added up',
  },
  mean: {
    outcome: 'changed',
    reason: 'an earlier row has the same keys and time; their mean was taken',
  },
} as const

function stockOutChanges({ stockOutColumn }: Recipe): readonly ChangeQuery[] {
  if (stockOutColumn === null) return []
  const query =
    'SELECT a.line AS line, a.series_key AS series_key, a.period AS period, a.value AS value ' +
    'FROM accepted a WHERE a.verdict = 0 AND a.sold_out AND a.value IS NOT NULL'
  return [{ step: 'stockOuts', reason: 'it was sold out', outcome: 'changed', query }]
}
