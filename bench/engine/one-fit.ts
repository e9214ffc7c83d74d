import { readFile } from 'node:fs/promises'
import {
  fitModel,
  forecastModel,
  levelQuantiles,
  parseSpec,
  type Series,
} from '../../engine/src/index.ts'
import { workMax } from './our-forecasts.ts'

export const horizon = 12
export const season = 12
const monthStart = Date.UTC(2000, 0, 1)

/** @throws when there is no forecast: a fit that is refused must not pass for a fast one. */
export function fitAndForecast(spec: unknown, series: Series, steps = horizon) {
  const parsed = parseSpec(spec)
  if (parsed.kind === 'refused') throw new Error(parsed.reason.detail)
  const model = fitModel(series, parsed.value, { seed: 1, workMax })
  if (model.kind === 'refused') throw new Error(model.reason.detail)
  const ask = { horizon: steps, quantiles: levelQuantiles([80, 95]) }
  const forecast = forecastModel(model.value, ask)
  if (forecast.kind === 'refused') throw new Error(forecast.reason.detail)
  const { aicc } = model.report
  return { aicc: typeof aicc === 'number' ? aicc : undefined, model: model.value }
}

export function monthly(y: Float64Array): Series {
  const step = { kind: 'calendar', unit: 'month', count: 1 } as const
  return { y, seasons: [season], calendar: { start: monthStart, step } }
}

/** CPU seconds of all threads of this process. */
export function secondsOf(work: () => void): number {
  const before = process.cpuUsage()
  work()
  return secondsSince(before)
}

export function secondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

/** The series of `sim1000_monthly60.csv`: unique_id, t, y. */
export async function readMonths(file: string): Promise<Float64Array[]> {
  const lines = (await readFile(file, 'utf8')).trim().split('\n').slice(1)
  const rows = lines.map((line) => line.split(','))
  const groups = Map.groupBy(rows, ([id]) => id ?? '')
  return [...groups.values()].map((group) => Float64Array.from(group, (row) => Number(row[2])))
}
