import type { Orders } from '../orders.ts'

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
  const lag = differenceLag > 0 ? ` at lag ${differenceLag}` : ''
  const differences = d + D + (differenceLag > 0 ? 1 : 0)
  const level = constant ? ` with ${differences === 0 ? 'a mean' : 'drift'}` : ''
  return plain + seasonal + lag + level
}
