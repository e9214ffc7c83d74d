import { type Random, seededRandom } from '@almanac/shared'
import type { Experiment } from '../experiment.ts'
import { pause } from '../pause.ts'
import type { Link, Topology } from '../topology/topology.ts'
import { watchDeafness } from './deafness.ts'
import { forecastFigures, quantile } from './figures.ts'
import { topologyStartMs } from './shared-topology.ts'
import { type Session, underTraffic } from './under-traffic.ts'

/** Long enough for a watch that is told nothing to be given up, and to live again. */
const badMs = { 'half-open': 22_000, slow: 10_000, resets: 10_000 } as const
const aliveWithinMs = 20_000
const oneMs = 60_000
/** Of new connections and, four times a second, of those that are open. */
const resetShare = 0.05

const troubles = ['half-open', 'slow', 'resets'] as const

type Trouble = (typeof troubles)[number]
/** `from` and `to` are kinds of parts, or parts. */
type Scenario = { readonly trouble: Trouble; readonly from: string; readonly to: string }

/** All ways of a kind at once, with every trouble; those that carry watches come first. */
const groups: readonly Scenario[] = (
  [
    ['broker', 'etcd'],
    ['node', 'etcd'],
    ['broker', 'node'],
    ['broker', 'cql'],
    ['node', 'cql'],
  ] as const
).flatMap(([from, to]) => troubles.map((trouble) => ({ trouble, from, to })))
/** Of 2 brokers, 5 nodes, 3 members of etcd and a database; the last ones are among the members. */
const ways = 2 * 5 + 7 * 3 + 7 + 3 * 2

export const badLinks: Experiment = {
  name: 'bad-links',
  promise: 'half-open, slow and breaking connections: all watches live again within 20 s',
  repetitions: { landing: 3, long: groups.length + 3 * ways + 1 },
  timeoutMs: (repetitions) => topologyStartMs + 60_000 + repetitions * oneMs,
  run: async (context) => {
    const aliveMs: number[] = []
    return await underTraffic(context, {
      name: 'bad-links',
      traffic: { forecastsPerSecond: 60, scripts: ['grows', 'rolled-back'] },
      repeat: async (session, seed) => {
        aliveMs.push(await spoil(session, seed))
      },
      figures: (entries) => {
        aliveMs.sort((a, b) => a - b)
        return {
          ...forecastFigures(entries),
          watchAliveMedianMs: quantile(aliveMs, 0.5),
          watchAliveMostMs: quantile(aliveMs, 1),
        }
      },
    })
  },
}

/** At landing the first ones, in the long run all, and then one by chance. */
function scenarioOf(seed: number, { links }: Topology): Scenario {
  const single = links.flatMap(({ from, to }) => troubles.map((trouble) => ({ trouble, from, to })))
  const all = [...groups, ...single]
  return all[(seed - 1) % all.length]!
}

/** Spoils the ways for a while. How long somebody was without news of the cluster. */
async function spoil(session: Session, seed: number): Promise<number> {
  const random = seededRandom(seed)
  const { topology, onLinks, context, violation } = session
  const { trouble, from, to } = scenarioOf(seed, topology)
  const links = linksOf(topology, trouble, from, to)
  const what = `${trouble} from ${from} to ${to}`
  const over = AbortSignal.any([context.signal, AbortSignal.timeout(badMs[trouble])])
  const listening = watchDeafness(session, over)
  await onLinks(links, what, async () => {
    const spoiling = keepSpoiling(links, trouble, random, over)
    await pause(badMs[trouble], over)
    await spoiling
    await Promise.all(links.map((link) => link.heal()))
  })
  const deaf = await listening
  for (const [part, deafMs] of deaf)
    if (deafMs > aliveWithinMs) violation(`${what}: ${part} heard nothing for ${deafMs} ms`)
  return Math.max(...deaf.values())
}

/**
 * Half-open connections to one of several must not matter for long: there are others to go to. So
 * one of each kind stays as it is: a member of etcd, a node. To the one database all are spoiled.
 */
function linksOf(topology: Topology, trouble: Trouble, from: string, to: string): readonly Link[] {
  const all = topology.links.filter((link) => isOf(link.from, from) && isOf(link.to, to))
  return trouble === 'half-open' ? all.filter((link) => link.to !== `${to}-1`) : all
}

const isOf = (part: string, name: string) => part === name || part.startsWith(`${name}-`)

/** Spoils the ways until `untilMs`. */
async function keepSpoiling(
  links: readonly Link[],
  trouble: Trouble,
  random: Random,
  until: AbortSignal,
) {
  switch (trouble) {
    case 'half-open':
      await Promise.all(links.map((link) => link.swallow()))
      return
    case 'slow':
      await Promise.all(links.map((link) => link.delay(500, 0, 'answers')))
      return
    case 'resets':
      await Promise.all(links.map((link) => link.reset(resetShare, 200)))
      // Some connections live for ever: they must break, too.
      while (!until.aborted) {
        for (const link of links) if (random() < resetShare) await link.cut()
        await pause(250, until)
      }
      return
  }
}
