// Holidays by their local dates, a price as a regressor, and days that count in Berlin, where one
// has 23 hours and one 25.
import { fitModel, forecastModel, levelQuantiles, parseSpec, zoneFrom } from '@almanac/engine'
import { resultOf, shown } from './support/outcome.ts'

const days = 800
const start = Date.parse('2023-01-01T00:00:00+01:00')
const zone = zoneFrom('Europe/Berlin', start)!
const fair = ['2023-06-03', '2024-06-01', '2025-06-07']

const price = Float64Array.from({ length: days + 120 }, (_, day) => 20 + 2 * Math.sin(day / 9))
const y = Float64Array.from({ length: days }, (_, day) => {
  const date = new Date(Date.UTC(2023, 0, 1 + day)).toISOString().slice(0, 10)
  const visits = 300 - 6 * price[day]! + 20 * Math.sin((2 * Math.PI * day) / 7)
  return visits + (fair.includes(date) ? 150 : 0) + 4 * Math.sin(day * day)
})
const calendar = { start, step: { kind: 'calendar', unit: 'day', count: 1, zone } } as const
const spec = resultOf(
  parseSpec({
    family: 'additive',
    holidays: [{ name: 'fair', dates: fair, lowerWindow: 0, upperWindow: 0 }],
    regressors: [{ name: 'price' }],
  }),
)
const series = { y, calendar, x: { price: price.subarray(0, days) } }
const fit = fitModel(series, spec, { seed: 1, workMax: 1e9 })
const model = resultOf(fit)
if (fit.kind !== 'refused') console.log(fit.report.summary)

// The values of a regressor are needed for the future, too.
const future = { price: price.subarray(days) }
const ask = { horizon: 120, quantiles: levelQuantiles([80]), future }
const { point, quantiles } = resultOf(forecastModel(model, ask))
const fairDay = (Date.UTC(2025, 5, 7) - Date.UTC(2023, 0, 1)) / 86_400_000 - days
console.log('a week before the fair, and the fair:', shown([point[fairDay - 7]!, point[fairDay]!]))
console.log('its bounds of 80%:', shown(quantiles.subarray(2 * fairDay, 2 * fairDay + 2)))
