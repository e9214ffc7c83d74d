import type { Prediction } from '../../routing/predictions.ts'
import type { BrokerMetrics } from '../../server/metrics.ts'

/** Counts what came of rows; those that could not even be read were never asked. */
export function countRows(
  { predictedRows }: Pick<BrokerMetrics, 'predictedRows'>,
  found: readonly Prediction[],
  unreadable = 0,
): void {
  const predicted = found.filter((prediction) => typeof prediction === 'number').length
  if (predicted > 0) predictedRows.inc({ outcome: 'predicted' }, predicted)
  const refused = found.length - predicted
  if (refused > 0) predictedRows.inc({ outcome: 'refused' }, refused)
  if (unreadable > 0) predictedRows.inc({ outcome: 'unreadable' }, unreadable)
}
