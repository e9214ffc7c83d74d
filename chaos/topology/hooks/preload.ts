/**
 * Loaded by `node --import` into brokers and nodes of a topology, before anything of their own: what
 * a machine and its network do to a process, done from inside, so that the code under test need
 * not know. Redirects connections to proxies, moves the wall clock, and ends with its parent.
 */
import { isMainThread } from 'node:worker_threads'
import { moveClock } from './clock.ts'
import { redirectConnections } from './redirect.ts'

const { ALMANAC_CHAOS_REDIRECT, ALMANAC_CHAOS_CLOCK } = process.env
if (ALMANAC_CHAOS_REDIRECT) redirectConnections(JSON.parse(ALMANAC_CHAOS_REDIRECT))
if (ALMANAC_CHAOS_CLOCK) moveClock(ALMANAC_CHAOS_CLOCK)
if (isMainThread) endWithParent()

/** What a killed harness leaves behind would hold ports and memory for ever. */
function endWithParent(): void {
  const parent = process.ppid
  const look = () => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL')
  }
  setInterval(look, 2_000).unref()
}
