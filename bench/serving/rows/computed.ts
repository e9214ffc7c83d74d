import { median } from '../../statistics.ts'
import { type Saturated, saturate } from '../load/saturate.ts'
import { cpuSecondsOf, untilQuiet } from '../processes.ts'
import { type Finding, spreadOf, type Verdict } from '../report.ts'
import type { Contestants } from '../run.ts'

const factorWanted = 20

type Measured = Saturated & { readonly cpuMs: number }

/** Forecasts that have to be computed: each request asks for a level that nobody asked for. */
export async function computed({ options, contestants, folder }: Contestants): Promise<Finding> {
  const { rounds, seconds, loadCore: core } = options
  const runs = new Map<string, Measured[]>(contestants.map(({ name }) => [name, []]))
  // Compiled code is what runs all day: the first seconds are not measured.
  for (const { target, pid } of contestants) {
    await saturate(target, { core, seconds: 2, folder })
    await untilQuiet(pid)
  }
  for (let round = 0; round < rounds; round++)
    for (const { name, target, pid } of contestants) {
      const before = await cpuSecondsOf(pid)
      const run = await saturate(target, { core, seconds, folder })
      const cpuMs = (1_000 * ((await cpuSecondsOf(pid)) - before)) / run.requests
      runs.get(name)!.push({ ...run, cpuMs })
      await untilQuiet(pid)
      // A row takes minutes: what was seen so far is not lost with an interrupted run.
      process.stderr.write(`${JSON.stringify({ round, name, ...run, cpuMs })}\n`)
    }
  const lines = [...runs].map(([name, all]) => {
    const figures = (read: (each: Measured) => number, digits: number) =>
      spreadOf(all.map(read), digits)
    return [
      name,
      figures(({ perSecond }) => perSecond, 0),
      figures(({ p50Ms }) => p50Ms, 1),
      figures(({ p99Ms }) => p99Ms, 1),
      figures(({ cpuMs }) => cpuMs, 2),
    ]
  })
  const peers = contestants.filter(({ kind }) => kind === 'peer')
  const verdicts: Verdict[] = []
  for (const { name } of contestants.filter(({ kind }) => kind === 'own')) {
    if (peers.length === 0) continue
    const rivalsOf = (round: number, read: (each: Measured) => number) =>
      peers.map((peer) => read(runs.get(peer.name)![round]!))
    const own = runs.get(name)!
    const rates = own.map(
      ({ perSecond }, round) => perSecond / Math.max(...rivalsOf(round, (each) => each.perSecond)),
    )
    const costs = own.map(
      ({ cpuMs }, round) => Math.min(...rivalsOf(round, (each) => each.cpuMs)) / cpuMs,
    )
    const [value, perCpu] = [median(rates), spreadOf(costs, 1)]
    const what = `times the fastest peer (${spreadOf(rates, 1)}), ${perCpu} by CPU: ${name}`
    verdicts.push({
      what: `${what}; wanted ${factorWanted}`,
      value,
      reached: value >= factorWanted,
    })
  }
  return {
    title: `500 steps with an interval, every level new; 32 connections, one core each side`,
    head: ['', 'requests/s, median (min – max)', 'p50 ms', 'p99 ms', 'CPU ms/request'],
    lines,
    verdicts,
    raw: Object.fromEntries(runs),
  }
}
