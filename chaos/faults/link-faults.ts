import { pause } from '../pause.ts'
import type { Direction, Link } from '../topology/topology.ts'
import type { Fault, Shape, Site } from './fault.ts'

/** What is done to each of the ways at the beginning; how it is healed is the link's business. */
export type Harm = (link: Link, site: Site) => Promise<void>

export const linkFaults: readonly Fault[] = [
  linkFault('slow', 4, [3_000, 15_000], (link, { random }) =>
    link.delay(Math.round(50 + random() * 700), Math.round(random() * 50)),
  ),
  linkFault('half-open', 4, [3_000, 18_000], (link) => link.swallow()),
  linkFault('held', 3, [3_000, 18_000], (link) => link.hold()),
  linkFault('one-way', 4, [3_000, 18_000], (link, { random }) => {
    const direction: Direction = random() < 0.5 ? 'requests' : 'answers'
    return random() < 0.5 ? link.hold(direction) : link.swallow(direction)
  }),
  linkFault('refused', 3, [2_000, 15_000], (link) => link.refuse()),
  linkFault('resetting', 3, [3_000, 12_000], (link, { random }) =>
    link.reset(0.05 + random() * 0.45, Math.round(random() * 500)),
  ),
  linkFault('narrow', 2, [3_000, 12_000], (link, { random }) =>
    link.throttle(Math.ceil(2 + random() * 60)),
  ),
  {
    ...linkFault('cut-again-and-again', 3, [2_000, 10_000], (link) => link.cut()),
    run: async (site, target, durationMs) => {
      const links = linksOf(site, target)
      await site.onLinks(links, 'cut again and again', async () => {
        const untilMs = performance.now() + durationMs
        while (performance.now() < untilMs && !site.signal.aborted) {
          await Promise.all(links.map((link) => link.cut()))
          await pause(100 + site.random() * 1_000, site.signal)
        }
      })
    },
  },
]

function linkFault(
  name: string,
  weight: number,
  durationMs: Fault['durationMs'],
  harm: Harm,
): Fault {
  return {
    name,
    weight,
    targets: waysOf,
    holds: (target) => [target],
    durationMs,
    healingMs: 1_000,
    run: (site, target, durationMs) =>
      spoil(site, linksOf(site, target), { what: name, durationMs, harm }),
  }
}

/** Harms the ways, waits, and heals them. */
export async function spoil(
  site: Site,
  links: readonly Link[],
  { what, durationMs, harm }: { what: string; durationMs: number; harm: Harm },
): Promise<void> {
  await site.onLinks(links, what, async () => {
    await Promise.all(links.map((link) => harm(link, site)))
    await pause(durationMs, site.signal)
    await Promise.all(links.map((link) => link.heal()))
  })
}

/** Single ways, and the ways of a whole part or of all parts of a kind. */
function waysOf({ brokers, nodes, members }: Shape): string[] {
  const clients = [...brokers, ...nodes]
  return [
    ...brokers.flatMap((broker) => nodes.map((node) => `${broker}→${node}`)),
    ...brokers.map((broker) => `${broker}→node-*`),
    ...nodes.map((node) => `broker-*→${node}`),
    ...clients.map((client) => `${client}→etcd-*`),
    ...members.map((member) => `*→${member}`),
    ...clients.map((client) => `${client}→cql`),
    ...['broker-*', 'node-*', '*'].flatMap((all) => [`${all}→etcd-*`, `${all}→cql`]),
    'etcd-*→etcd-*',
  ]
}

export function linksOf({ topology }: Site, target: string): readonly Link[] {
  const [from = '', to = ''] = target.split('→')
  // Everybody's ways to etcd are not those of its members to each other.
  const isMeant = (link: Link) => from !== '*' || !link.from.startsWith('etcd-')
  const links = topology.links.filter(
    (link) => matches(link.from, from) && matches(link.to, to) && isMeant(link),
  )
  if (links.length === 0) throw new Error(`there is no way ${target}`)
  return links
}

function matches(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

/** Whether two targets have a way in common; a target that is no way has none. */
export function shareWays(one: string, other: string): boolean {
  if (!one.includes('→') || !other.includes('→')) return false
  const ends = [one, other].map((target) => target.split('→'))
  return [0, 1].every((end) => {
    const [a = '', b = ''] = ends.map((pair) => pair[end])
    return matches(a, b) || matches(b, a)
  })
}
