import { counted, joined } from '../../words.ts'
import type { Orders } from '../orders.ts'
import type { ArimaSpec } from '../spec.ts'

/** How people write a model: ARIMA(0,1,1)(0,1,1)[12] with drift. */
export function nameOf({
  p,
  d,
  q,
  P,
  D,
  Q,
  seasonLength,
  constant,
  differenceLag,
}: Orders): string {
  const plain = `ARIMA(${p},${d},${q})`
  const seasonal = P + D + Q > 0 ? `(${P},${D},${Q})[${seasonLength}]` : ''
  const lag = differenceLag > 0 ? ` on the ${differenceLag}-lag difference` : ''
  const differences = d + D + (differenceLag > 0 ? 1 : 0)
  const level = constant ? ` with ${differences === 0 ? 'a mean' : 'drift'}` : ''
  return plain + seasonal + lag + level
}

/** What a model has beside its orders, as the end of a clause; empty when there is nothing. */
export function besideOf({ boxCox, fourier, regressors }: ArimaSpec): string {
  const extras = [
    ...(typeof boxCox === 'number' ? [`a Box-Cox transform of λ = ${boxCox.toFixed(3)}`] : []),
    ...fourier.map(
      ({ pairs, period }) => `${counted(pairs, 'Fourier pair')} for the period ${period}`,
    ),
    ...(regressors.length > 0 && fourier.length === 0
      ? [counted(regressors.length, 'regressor')]
      : []),
  ]
  return extras.length === 0 ? '' : `, with ${joined(extras)}`
}
