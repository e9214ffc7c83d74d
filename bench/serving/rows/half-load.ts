import { saturate } from '../load/saturate.ts'
import { failedOf, p99Of, steady } from '../load/steady.ts'
import { untilQuiet } from '../processes.ts'
import { type Finding, medianOf, spreadOf, type Verdict } from '../report.ts'
import type { Contestants } from '../run.ts'

const shareWanted = 0.2

/** Everyone at half of the load that saturates them: how long do the slowest answers take? */
export async function halfLoad({ options, contestants, folder }: Contestants): Promise<Finding> {
  const { rounds, seconds, loadCore: core } = options
  const all = []
  for (const contestant of contestants) {
    await saturate(contestant.target, { core, seconds: 2, folder })
    const { perSecond } = await saturate(contestant.target, { core, seconds: 2, folder })
    await untilQuiet(contestant.pid)
    all.push({ ...contestant, perSecond: perSecond / 2, p99Ms: [] as number[], failed: 0 })
  }
  for (let round = 0; round < rounds; round++)
    for (const each of all) {
      const { target, perSecond } = each
      // A peer's share of a percent is a request or two: it is given more time.
      const time = each.isPeer ? seconds + 2 : seconds
      const load = { target, perSecond, seconds: time, varies: true }
      const sent = await steady(load, { folder, cores: core, hasOwnCore: true })
      each.p99Ms.push(p99Of(sent))
      each.failed += failedOf(sent)
    }
  const peers = all.filter(({ isPeer }) => isPeer)
  const verdicts: Verdict[] = []
  for (const { name, p99Ms } of all.filter(({ isPeer }) => !isPeer)) {
    const ratios = p99Ms.map((ms, i) => ms / Math.min(...peers.map((peer) => peer.p99Ms[i]!)))
    const value = medianOf(ratios)
    const what = `of the best peer's p99: ${name} (${spreadOf(ratios, 3)}); wanted ${shareWanted}`
    if (peers.length > 0) verdicts.push({ what, value, reached: value <= shareWanted })
  }
  return {
    title: 'p99 at half of the saturating load; every level new, one core each side',
    head: ['', 'requests/s', 'p99 ms, median (min – max)', 'failed'],
    lines: all.map(({ name, perSecond, p99Ms, failed }) => [
      name,
      perSecond.toFixed(0),
      spreadOf(p99Ms, 1),
      String(failed),
    ]),
    verdicts,
    raw: all.map(({ name, perSecond, p99Ms, failed }) => ({ name, perSecond, p99Ms, failed })),
  }
}
