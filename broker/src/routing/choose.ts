import type { Random } from '@almanac/shared'
import { isResting, type Peer } from './peer.ts'
import type { Holders } from './table.ts'

export type Choice = {
  readonly nowMs: number
  readonly random: Random
  /** Requests that a peer may have open. */
  readonly openMax: (peer: Peer) => number
  /** Who is not asked (again): tried already, or known not to have it after all. */
  readonly isExcluded: (peer: Peer) => boolean
}

/**
 * Whom to ask: the less busy of two picked at random among the confirmed, then the unconfirmed,
 * then those that rest. Never more than half of all holders rest, however badly they behave.
 */
export function choosePeer(holders: Holders, choice: Choice): Peer | undefined {
  const { confirmed, unconfirmed } = holders
  const quick = lessBusyOfTwo(confirmed, choice.random)
  if (quick && isFree(quick, choice) && !isResting(quick, choice.nowMs)) return quick
  const resting = restingPeers([...confirmed, ...unconfirmed], choice.nowMs)
  const awake = (peer: Peer) => isFree(peer, choice) && !resting.has(peer)
  return (
    lessBusyOfTwo(confirmed.filter(awake), choice.random) ??
    lessBusyOfTwo(unconfirmed.filter(awake), choice.random) ??
    lessBusyOfTwo(
      [...resting].filter((peer) => isFree(peer, choice)),
      choice.random,
    )
  )
}

/**
 * Whom to ask for a shard: the first in its order who has not more than his share to do, so that
 * what is hardly asked for is in one node's memory, and what is asked for a lot in that of several
 * (consistent hashing with bounded loads, Mirrokni et al. 2018). Who is unconfirmed or rests comes
 * last here, too.
 */
export function chooseForShard(
  { confirmed, unconfirmed }: Holders,
  shard: string,
  choice: Choice & { readonly shareMin: number },
): Peer | undefined {
  const resting = restingPeers([...confirmed, ...unconfirmed], choice.nowMs)
  const inOrder = (peers: readonly Peer[], isResting: boolean) =>
    byRendezvous(shard, peers).filter(
      (peer) => isFree(peer, choice) && resting.has(peer) === isResting,
    )
  const near = inOrder(confirmed, false)
  const open = confirmed.reduce((sum, peer) => sum + peer.inFlight, 0)
  const share = Math.max(choice.shareMin, Math.ceil((shareGrowth * open) / confirmed.length))
  return (
    near.find((peer) => peer.inFlight < share) ??
    near[0] ??
    inOrder(unconfirmed, false)[0] ??
    inOrder([...resting], true)[0]
  )
}

/** More than an equal share: few shards have to move when one of them is asked for a lot. */
const shareGrowth = 1.25

/** Whether there is somebody who was left out only because he has too much to do. */
export function areAllBusy(holders: Holders, choice: Choice): boolean {
  const asked = [...holders.confirmed, ...holders.unconfirmed].filter((p) => !choice.isExcluded(p))
  return asked.length > 0 && asked.every((peer) => peer.inFlight >= choice.openMax(peer))
}

/** The peers that rest: at most half of all, those with the longest rests. */
export function restingPeers(peers: readonly Peer[], nowMs: number): ReadonlySet<Peer> {
  const resting = peers.filter((peer) => isResting(peer, nowMs))
  const most = Math.floor(peers.length / 2)
  if (resting.length <= most) return new Set(resting)
  return new Set(resting.sort((a, b) => b.restsUntilMs - a.restsUntilMs).slice(0, most))
}

/**
 * The same order of peers for the same text on every broker, so that a version that is loaded on
 * demand is loaded in few places (rendezvous hashing, Thaler and Ravishankar 1998).
 */
export function byRendezvous(text: string, peers: readonly Peer[]): readonly Peer[] {
  const score = new Map(peers.map((peer) => [peer, hash(`${text} ${peer.name}`)]))
  return [...peers].sort((a, b) => score.get(b)! - score.get(a)! || (a.name < b.name ? -1 : 1))
}

function isFree(peer: Peer, choice: Choice): boolean {
  return peer.inFlight < choice.openMax(peer) && !choice.isExcluded(peer)
}

function lessBusyOfTwo(peers: readonly Peer[], random: Random): Peer | undefined {
  const count = peers.length
  if (count < 2) return peers[0]
  const first = Math.floor(random() * count)
  const second = (first + 1 + Math.floor(random() * (count - 1))) % count
  const [a, b] = [peers[first]!, peers[second]!]
  return b.inFlight < a.inFlight ? b : a
}

/** FNV-1a with a final mix, 32 bits. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
