import { seededRandom } from '@almanac/shared'
import { request } from 'undici'
import { quantile } from '../statistics.ts'

export type Asked = { readonly p50Ms: number; readonly p99Ms: number; readonly worstMs: number }

/** Forecasts of single series, one after the other, chosen by chance. */
export async function askOneByOne(
  url: string,
  model: string,
  keys: readonly string[],
  count: number,
): Promise<Asked> {
  const random = seededRandom(7)
  const tookMs: number[] = []
  for (let i = 0; i < count; i++) {
    const key = keys[Math.floor(random() * keys.length)]!
    const startedMs = performance.now()
    const path = `/api/models/${model}/forecast/28?series=${encodeURIComponent(key)}`
    const { statusCode, body } = await request(`${url}${path}`)
    const text = await body.text()
    if (statusCode !== 200) throw new Error(`${path}: ${statusCode} ${text}`)
    tookMs.push(performance.now() - startedMs)
  }
  return {
    p50Ms: quantile(tookMs, 0.5),
    p99Ms: quantile(tookMs, 0.99),
    worstMs: Math.max(...tookMs),
  }
}

export type Streamed = {
  readonly seconds: number
  readonly keys: readonly string[]
  readonly failed: number
}

/** All series as a stream: their keys, and how many had no forecast. */
export async function streamAll(url: string, model: string, horizon: number): Promise<Streamed> {
  const startedMs = performance.now()
  const { statusCode, body } = await request(`${url}/api/models/${model}/forecasts/${horizon}`)
  if (statusCode !== 200) throw new Error(`${statusCode} ${await body.text()}`)
  const keys: string[] = []
  let failed = 0
  let rest = ''
  const take = (line: string) => {
    const { series, error } = JSON.parse(line) as { series: string; error?: unknown }
    keys.push(series)
    if (error !== undefined) failed++
  }
  body.setEncoding('utf8')
  for await (const text of body) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  }
  if (rest !== '') throw new Error('the stream ended in the middle of a line')
  return { seconds: (performance.now() - startedMs) / 1_000, keys, failed }
}
