import { fitAndForecast, monthly } from './one-fit.ts'

/** Fits and forecasts one series and prints the CPU seconds of this process since it began. */
const [spec = '{}', values = '[]'] = process.argv.slice(2)
fitAndForecast(JSON.parse(spec), monthly(Float64Array.from(JSON.parse(values) as number[])))
const { user, system } = process.cpuUsage()
console.log((user + system) / 1e6)
