import { setTimeout as delay } from 'node:timers/promises'

/** Waits, unless whatever it is part of ends first. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {})
}
