import { setTimeout as delay } from 'node:timers/promises'
import { median } from '../../statistics.ts'
import { fitSample, read } from '../almanac/start.ts'
import { failedOf, p99Of, type Sent, steady } from '../load/steady.ts'
import { type Finding, spreadOf } from '../report.ts'
import type { OwnRun } from '../run.ts'

const perSecond = 200
const swaps = 20
/** At rest for so long, then as long again from the moment of the swap. */
const windowMs = 1_500
const fitWindows = 10
const [swapWanted, fitWanted] = [1.1, 1.5]

/** Two nodes in one process on both cores: does anyone notice a new version, or a fit? */
export async function swap({ almanac, folder }: OwnRun): Promise<Finding> {
  const target = almanac.broker('automatic')
  // Versions to go to, each of which has to be loaded from the store: the grace has ended it.
  while ((await fitSample(almanac.url, 'automatic')) < swaps + 1);
  const load = (seconds: number) => ({ target, perSecond, seconds, varies: true })
  const place = { folder, cores: '0,1' }
  await steady(load(3), place)
  const swapped = await windows(load(1 + (swaps * 2 * windowMs) / 1_000), place, swaps, (i) =>
    read(`${almanac.url}/api/models/default/rollback`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ version: i + 1 }),
    }),
  )
  const fitted = await windows(
    load(1 + (fitWindows * 2 * windowMs) / 1_000),
    place,
    fitWindows,
    () => fitSample(almanac.url, 'arima'),
  )
  const lines = [line('a version loads and swaps', swapped), line('a fit runs', fitted)]
  const verdicts = [
    verdict('while a version loads and swaps', swapped, swapWanted),
    verdict('while a fit runs', fitted, fitWanted),
  ]
  return {
    title: `p99 at ${perSecond} requests/s, every level new; npm start, two nodes, both cores`,
    head: ['', 'at rest, p99 ms', 'meanwhile, p99 ms', 'failed'],
    lines,
    verdicts,
    raw: { swapped, fitted },
  }
}

type Pairs = {
  readonly restMs: readonly number[]
  readonly busyMs: readonly number[]
  readonly failed: number
}

/** Does something again and again under load; the p99 of each window before and after it. */
async function windows(
  load: Parameters<typeof steady>[0],
  place: Parameters<typeof steady>[1],
  count: number,
  act: (i: number) => Promise<unknown>,
): Promise<Pairs> {
  const loading = steady(load, place)
  await delay(1_000)
  const actedMs: number[] = []
  for (let i = 0; i < count; i++) {
    await delay(windowMs)
    actedMs.push(performance.timeOrigin + performance.now())
    await Promise.all([act(i), delay(windowMs)])
  }
  const sent = await loading
  const between = (from: number, to: number) =>
    p99Of(sent.filter(({ atMs }: Sent) => atMs >= from && atMs < to))
  return {
    restMs: actedMs.map((at) => between(at - windowMs, at)),
    busyMs: actedMs.map((at) => between(at, at + windowMs)),
    failed: failedOf(sent),
  }
}

function line(what: string, { restMs, busyMs, failed }: Pairs): string[] {
  return [what, spreadOf(restMs, 2), spreadOf(busyMs, 2), String(failed)]
}

function verdict(what: string, { restMs, busyMs }: Pairs, wanted: number) {
  const value = median(busyMs) / median(restMs)
  return { what: `times itself at rest ${what}; wanted ${wanted}`, value, reached: value <= wanted }
}
