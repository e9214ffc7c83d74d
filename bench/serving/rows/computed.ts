import { type Saturated, saturate } from '../load/saturate.ts'
import { type Finding, medianOf, spreadOf, type Verdict } from '../report.ts'
import type { Run } from '../run.ts'

const factorWanted = 20

/** Forecasts that have to be computed: each request asks for a level that nobody asked for. */
export async function computed({ options, contestants, folder }: Run): Promise<Finding> {
  const { rounds, seconds, loadCore: core } = options
  const runs = new Map<string, Saturated[]>(contestants.map(({ name }) => [name, []]))
  // Compiled code is what runs all day: the first seconds are not measured.
  for (const { target } of contestants) await saturate(target, { core, seconds: 2, folder })
  for (let round = 0; round < rounds; round++)
    for (const { name, target } of contestants)
      runs.get(name)!.push(await saturate(target, { core, seconds, folder }))
  const lines = [...runs].map(([name, all]) => [
    name,
    spreadOf(all.map((each) => each.perSecond)),
    spreadOf(
      all.map((each) => each.p50Ms),
      1,
    ),
    spreadOf(
      all.map((each) => each.p99Ms),
      1,
    ),
  ])
  const peers = contestants.filter(({ isPeer }) => isPeer)
  const verdicts: Verdict[] = []
  for (const { name } of contestants.filter(({ isPeer }) => !isPeer)) {
    const own = runs.get(name)!
    const ratios = own.map(({ perSecond }, round) => {
      const rivals = peers.map((peer) => runs.get(peer.name)![round]!.perSecond)
      return perSecond / Math.max(...rivals)
    })
    const value = medianOf(ratios)
    const what = `times the fastest peer: ${name} (${spreadOf(ratios, 1)}); wanted ${factorWanted}`
    if (peers.length > 0) verdicts.push({ what, value, reached: value >= factorWanted })
  }
  return {
    title: `500 steps with an interval, every level new; 32 connections, one core each side`,
    head: ['', 'requests/s, median (min – max)', 'p50 ms', 'p99 ms'],
    lines,
    verdicts,
    raw: Object.fromEntries(runs),
  }
}
