import { median } from '../../statistics.ts'
import { startControl } from '../control/start.ts'
import { saturate } from '../load/saturate.ts'
import { failedOf, lateOf, p99Of, steady } from '../load/steady.ts'
import { untilQuiet } from '../processes.ts'
import { type Finding, spreadOf, type Verdict } from '../report.ts'
import type { Contestants } from '../run.ts'

const shareWanted = 0.2

/** Everyone at half of the load that saturates them: how long do the slowest answers take? */
export async function halfLoad(row: Contestants): Promise<Finding> {
  const { folder } = row
  const { server, target } = await startControl({ folder, cores: row.options.serverCore })
  const name = 'bare node:http, as many numbers'
  const control = { name, kind: 'control', pid: server.pid, target } as const
  try {
    return await allAtHalf({ ...row, contestants: [...row.contestants, control] })
  } finally {
    await server.stop()
  }
}

async function allAtHalf({ options, contestants, folder }: Contestants): Promise<Finding> {
  const { rounds, seconds, loadCore: core } = options
  const all = []
  for (const contestant of contestants) {
    await saturate(contestant.target, { core, seconds: 2, folder })
    const { perSecond } = await saturate(contestant.target, { core, seconds: 2, folder })
    await untilQuiet(contestant.pid)
    const found = { p99Ms: [] as number[], lateMs: [] as number[], failed: 0 }
    all.push({ ...contestant, perSecond: perSecond / 2, ...found })
  }
  for (let round = 0; round < rounds; round++)
    for (const each of all) {
      const { target, perSecond } = each
      // A peer's share of a percent is a request or two: it is given more time.
      const time = each.kind === 'peer' ? seconds + 2 : seconds
      const load = { target, perSecond, seconds: time, varies: true }
      const sent = await steady(load, { folder, cores: core, hasOwnCore: true })
      each.p99Ms.push(p99Of(sent))
      each.lateMs.push(lateOf(sent))
      each.failed += failedOf(sent)
    }
  const peers = all.filter(({ kind }) => kind === 'peer')
  const verdicts: Verdict[] = []
  for (const { name, p99Ms } of all.filter(({ kind }) => kind === 'own')) {
    const ratios = p99Ms.map((ms, i) => ms / Math.min(...peers.map((peer) => peer.p99Ms[i]!)))
    const value = median(ratios)
    const what = `of the best peer's p99: ${name} (${spreadOf(ratios, 3)}); wanted ${shareWanted}`
    if (peers.length > 0) verdicts.push({ what, value, reached: value <= shareWanted })
  }
  return {
    title: 'p99 at half of the saturating load; every level new, one core each side',
    head: ['', 'requests/s', 'p99 ms, median (min – max)', 'sent late, p99 ms', 'failed'],
    lines: all.map(({ name, perSecond, p99Ms, lateMs, failed }) => [
      name,
      perSecond.toFixed(0),
      spreadOf(p99Ms, 1),
      spreadOf(lateMs, 1),
      String(failed),
    ]),
    verdicts,
    raw: all.map(({ name, perSecond, p99Ms, lateMs, failed }) => ({
      name,
      perSecond,
      p99Ms,
      lateMs,
      failed,
    })),
  }
}
