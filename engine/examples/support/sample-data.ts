import { readFileSync } from 'node:fs'

/** Daily minimum temperatures in Melbourne, 1981 to 1990, in °C, without leap days. */
export function temperatures(): Float64Array {
  const url = new URL('../../../sample-data/melbourne-min-temperatures.json', import.meta.url)
  const { data } = JSON.parse(readFileSync(url, 'utf8')) as { data: number[] }
  return Float64Array.from(data)
}

/** Passengers a month over ten years, made up: growth, a summer, and some noise. */
export function passengers(): Float64Array {
  return Float64Array.from({ length: 120 }, (_, month) => {
    const summer = 1 + 0.25 * Math.sin((2 * Math.PI * (month - 3)) / 12)
    return (200 + 2.5 * month) * summer + 8 * Math.sin(month * month)
  })
}
