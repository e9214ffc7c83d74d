import type { Bounds } from '../config/bounds.ts'
import { createLoad, type Load } from './load.ts'

/**
 * A node process as this broker experiences it: how busy it keeps it and how it behaves. The rest
 * of routing is immutable; these few numbers are not.
 */
export type Peer = {
  /** `{ip}_{port}`. */
  readonly name: string
  /** Another process at the same address is another peer. */
  readonly instance: string
  readonly origin: string
  inFlight: number
  readonly load: Load
  /** Failures since the last answer. */
  failures: number
  /** Not asked before this monotonic time, if there are others. */
  restsUntilMs: number
  /** When its registration vanished, monotonic; null while it is registered. */
  goneAtMs: number | null
}

export function createPeer(node: { ip: string; port: number; instance: string }): Peer {
  const host = node.ip.includes(':') ? `[${node.ip}]` : node.ip
  return {
    name: `${node.ip}_${node.port}`,
    instance: node.instance,
    origin: `http://${host}:${node.port}`,
    inFlight: 0,
    load: createLoad(),
    failures: 0,
    restsUntilMs: 0,
    goneAtMs: null,
  }
}

export function isResting(peer: Peer, nowMs: number): boolean {
  return peer.restsUntilMs > nowMs
}

/** Each failure in a row doubles the rest; failures while it rests already change nothing. */
export function rest(
  peer: Peer,
  nowMs: number,
  bounds: Pick<Bounds, 'nodeRestMs' | 'nodeRestMaxMs'>,
): void {
  if (isResting(peer, nowMs)) return
  const pauseMs = Math.min(
    bounds.nodeRestMaxMs,
    bounds.nodeRestMs * 2 ** Math.min(peer.failures, 30),
  )
  peer.failures += 1
  peer.restsUntilMs = nowMs + pauseMs
}

export function answered(peer: Peer): void {
  if (peer.failures === 0) return
  peer.failures = 0
  peer.restsUntilMs = 0
}
