import type { Direction, Link } from './topology.ts'
import type { Toxic, Toxiproxy } from './toxiproxy/server.ts'

/** Longer than any run: what is delayed by so much passes only when the delay is taken back. */
const forEverMs = 100_000_000

/** There on every way from the start: to delay is to change them, never to take them out. */
export const standingToxics: readonly Toxic[] = [latency('upstream', 0), latency('downstream', 0)]

export function linkOver(from: string, to: string, toxiproxy: Toxiproxy): Link {
  const name = proxyName(from, to)
  /** Toxics beside the standing ones. */
  const added = new Set<string>()
  let isDisabled = false
  let mustCut = false

  const delayBoth = async (direction: Direction, latencyMs: number, jitterMs = 0) => {
    for (const stream of streamsOf(direction))
      await toxiproxy.set(name, latency(stream, latencyMs, jitterMs))
  }
  const add = async (toxic: Toxic) => {
    added.add(toxic.name)
    await toxiproxy.set(name, toxic)
  }
  const cut = async () => {
    await toxiproxy.setEnabled(name, false)
    if (!isDisabled) await toxiproxy.setEnabled(name, true)
  }
  return {
    from,
    to,
    delay: (latencyMs, jitterMs, direction = 'both') => delayBoth(direction, latencyMs, jitterMs),
    hold: (direction = 'both') => delayBoth(direction, forEverMs),
    async swallow(direction = 'both') {
      mustCut = true
      await delayBoth(direction, forEverMs)
    },
    async refuse() {
      isDisabled = true
      await toxiproxy.setEnabled(name, false)
    },
    cut,
    reset: (share, afterMs) =>
      add({
        name: 'reset',
        type: 'reset_peer',
        stream: 'downstream',
        toxicity: share,
        attributes: { timeout: afterMs },
      }),
    async throttle(kilobytesPerSecond, direction = 'both') {
      for (const stream of streamsOf(direction))
        await add({
          name: `bandwidth-${stream}`,
          type: 'bandwidth',
          stream,
          toxicity: 1,
          attributes: { rate: kilobytesPerSecond },
        })
    },
    async heal() {
      // Closed first: what was swallowed must not come out when the delay is taken back.
      if (mustCut) await toxiproxy.setEnabled(name, false)
      await delayBoth('both', 0)
      for (const toxic of added) await toxiproxy.remove(name, toxic)
      added.clear()
      if (isDisabled || mustCut) await toxiproxy.setEnabled(name, true)
      isDisabled = false
      mustCut = false
    },
  }
}

export const proxyName = (from: string, to: string) => `${from}~${to}`

function latency(stream: Toxic['stream'], latencyMs: number, jitterMs = 0): Toxic {
  const attributes = { latency: latencyMs, jitter: jitterMs }
  return { name: `latency-${stream}`, type: 'latency', stream, toxicity: 1, attributes }
}

function streamsOf(direction: Direction): readonly Toxic['stream'][] {
  if (direction === 'requests') return ['upstream']
  return direction === 'answers' ? ['downstream'] : ['upstream', 'downstream']
}
