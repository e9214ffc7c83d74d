import { expect, test } from 'vitest'
import { createWeatherLog } from '../../experiments/weather-log.ts'
import type { Link } from '../../topology/topology.ts'

test('a way whose fault breaks off is healed, and disturbed no longer', async () => {
  let healed = 0
  const heal = async () => {
    healed += 1
  }
  const link = { from: 'broker-1', to: 'cql', heal } as Partial<Link> as Link
  const { onLinks, weather } = createWeatherLog({ brokers: [], nodes: [] })
  const fault = onLinks([link], 'slow', async () => {
    throw new Error('broke off')
  })
  await expect(fault).rejects.toThrow('broke off')
  expect(healed).toBe(1)
  expect(weather.disturbances).toHaveLength(1)
  expect(weather.disturbances[0]?.toMs).toBeLessThan(Number.POSITIVE_INFINITY)
})
