import { pause } from '../pause.ts'
import type { Link, Part } from '../topology/topology.ts'
import type { Fault, Site } from './fault.ts'
import { type Harm, linksOf, spoil } from './link-faults.ts'
import { partOf } from './process-faults.ts'

/** One at a time: what two of them would do together is lose the quorum, which has its own. */
const holds = () => ['etcd']
const wholly = () => ['etcd']

export const etcdFaults: readonly Fault[] = [
  {
    name: 'member-killed',
    weight: 2,
    targets: ({ members }) => members,
    holds,
    durationMs: [1_000, 12_000],
    healingMs: 3_000,
    run: (site, target, durationMs) => away(site, [partOf(site.topology, target)], durationMs),
  },
  {
    name: 'leader-killed',
    weight: 3,
    targets: wholly,
    holds,
    durationMs: [1_000, 12_000],
    healingMs: 3_000,
    run: async (site, _target, durationMs) => away(site, await leaderOf(site), durationMs),
  },
  {
    name: 'leader-frozen',
    weight: 3,
    targets: wholly,
    holds,
    durationMs: [3_000, 15_000],
    healingMs: 3_000,
    run: async (site, _target, durationMs) => {
      for (const leader of await leaderOf(site))
        await site.down(leader, 'the leader is frozen', async () => {
          leader.pause()
          await pause(durationMs, site.signal)
          leader.resume()
        })
    },
  },
  {
    // Clients reach it still, and it tells them what it knows: nothing new.
    name: 'member-isolated',
    weight: 3,
    targets: ({ members }) => members,
    holds,
    durationMs: [3_000, 18_000],
    healingMs: 3_000,
    run: (site, target, durationMs) => {
      const hides = site.random() < 0.5
      return apart(site, waysOf(site, target), durationMs, (link) =>
        hides ? link.swallow() : link.refuse(),
      )
    },
  },
  {
    name: 'leader-isolated',
    weight: 3,
    targets: wholly,
    holds,
    durationMs: [3_000, 18_000],
    healingMs: 3_000,
    run: async (site, _target, durationMs) => {
      for (const { name } of await leaderOf(site))
        await apart(site, waysOf(site, name), durationMs, (link) => link.swallow())
    },
  },
  {
    name: 'members-apart',
    weight: 2,
    targets: ({ members }) => pairsOf(members),
    holds,
    durationMs: [3_000, 18_000],
    healingMs: 3_000,
    run: (site, target, durationMs) => {
      const [one, other] = target.split(' and ')
      const links = [`${one}→${other}`, `${other}→${one}`].flatMap((way) => linksOf(site, way))
      return apart(site, links, durationMs, (link) => link.swallow())
    },
  },
  {
    // Either it hears nothing of the others, or they hear nothing of it.
    name: 'member-one-way',
    weight: 2,
    targets: ({ members }) => members.flatMap((one) => [`${one} hears`, `${one} is heard`]),
    holds,
    durationMs: [3_000, 18_000],
    healingMs: 3_000,
    run: (site, target, durationMs) => {
      const [member = ''] = target.split(' ')
      const isDeaf = target.endsWith('is heard')
      return apart(site, waysOf(site, member), durationMs, (link) =>
        link.swallow((link.from === member) === isDeaf ? 'answers' : 'requests'),
      )
    },
  },
  {
    name: 'quorum-lost',
    weight: 3,
    targets: ({ members }) => members.map((left) => `all but ${left}`),
    holds,
    durationMs: [2_000, 15_000],
    healingMs: 5_000,
    run: (site, target, durationMs) => {
      const lost = site.topology.etcd.filter(({ name }) => !target.endsWith(name))
      return away(site, lost, durationMs)
    },
  },
  {
    name: 'all-restarted',
    weight: 1,
    targets: wholly,
    holds,
    durationMs: [0, 3_000],
    healingMs: 5_000,
    run: (site, _target, durationMs) => away(site, site.topology.etcd, durationMs),
  },
  {
    name: 'compacted-while-apart',
    weight: 2,
    targets: ({ brokers, nodes }) => [...brokers, ...nodes].map((client) => `${client}→etcd-*`),
    // No other must keep the compaction from being done.
    holds: (target) => ['etcd', target],
    durationMs: [4_000, 15_000],
    healingMs: 2_000,
    run: async (site, target, durationMs) => {
      const links = linksOf(site, target)
      await site.onLinks(links, 'apart while history is forgotten', async () => {
        await Promise.all(links.map((link) => link.swallow()))
        await pause(durationMs, site.signal)
        await site.topology.admin.compact().catch((error: Error) => {
          site.note(`etcd forgets nothing at present: ${error.message}`)
        })
        await Promise.all(links.map((link) => link.heal()))
      })
    },
  },
]

function apart(site: Site, links: readonly Link[], durationMs: number, harm: Harm): Promise<void> {
  return spoil(site, links, { what: 'members apart', durationMs, harm })
}

/** The ways between a member and the others. */
function waysOf(site: Site, member: string): readonly Link[] {
  return [`${member}→etcd-*`, `etcd-*→${member}`].flatMap((way) => linksOf(site, way))
}

function pairsOf(members: readonly string[]): string[] {
  return members.flatMap((one, i) => members.slice(i + 1).map((other) => `${one} and ${other}`))
}

/** Killed, left dead for a while, and started again. */
async function away(site: Site, members: readonly Part[], durationMs: number): Promise<void> {
  await Promise.all(
    members.map((member) =>
      site.down(member, 'killed', async () => {
        await member.kill()
        await pause(durationMs, site.signal)
        await member.start()
      }),
    ),
  )
}

async function leaderOf({ topology, note }: Site): Promise<Part[]> {
  const leader = await topology.admin.leader()
  if (leader === undefined) note('etcd has no leader at present: nothing is done to it')
  return leader === undefined ? [] : [leader]
}
