import { expect, test } from 'vitest'
import { forecastFigures, slowFigures } from '../../experiments/figures.ts'
import { createWeatherLog } from '../../experiments/weather-log.ts'
import { wasUp } from '../../invariants/disturbance.ts'
import type { Part, Topology } from '../../topology/topology.ts'
import { fitted, forecast, unknown } from '../invariants/story.ts'

test('forecasts are counted and timed, other requests are not', () => {
  const quick = Array.from({ length: 99 }, (_, i) => forecast([i, i + 2], 1))
  const entries = [...quick, { ...forecast([0, 50], 1), outcome: unknown }, fitted([0, 900], 1)]
  expect(forecastFigures(entries)).toEqual({
    forecasts: 100,
    forecastsWithoutAnswer: 1,
    medianMs: 2,
    p99Ms: 50,
    slowestMs: 50,
  })
})

test('answers are normal again after the last one that took longer than those before', () => {
  const calm = Array.from({ length: 50 }, (_, i) => forecast([i, i + 10], 1))
  const after = [
    forecast([1_005, 1_305], 1),
    forecast([1_080, 1_200], 1),
    forecast([1_300, 1_310], 1),
  ]
  const faults = [
    { fromMs: 1_000, untilMs: 2_000 },
    { fromMs: 3_000, untilMs: 4_000 },
  ]
  expect(slowFigures([...calm, ...after], faults)).toEqual({
    calmMedianMs: 10,
    calmP99Ms: 10,
    normalAfterMedianMs: 80,
    normalAfterMostMs: 80,
  })
})

test('a process is not well from before it is harmed until it is ready again', async () => {
  const part = { name: 'node-1' } as Part
  const topology: Pick<Topology, 'brokers' | 'nodes'> = { brokers: [], nodes: [part] }
  const { weather, down } = createWeatherLog(topology)
  const beforeMs = performance.now()
  const during = await down(part, 'killed', async () => {
    const nowMs = performance.now()
    return { nowMs, isUp: wasUp(weather, 'node-1', nowMs, nowMs) }
  })
  expect(during.isUp).toBe(false)
  expect(wasUp(weather, 'node-1', during.nowMs, during.nowMs)).toBe(false)
  expect(wasUp(weather, 'node-1', beforeMs - 10, beforeMs - 1)).toBe(true)
  const afterMs = performance.now() + 1
  expect(wasUp(weather, 'node-1', afterMs, afterMs)).toBe(true)
})
