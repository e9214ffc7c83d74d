/**
 * Loaded by `node --import` into brokers and nodes of a topology, before anything of their own: what
 * a machine and its network do to a process, done from inside, so that the code under test need
 * not know.
 */
import { isMainThread } from 'node:worker_threads'
import { createBallast } from './ballast.ts'
import { movableClock } from './clock.ts'
import { followControls } from './controls.ts'
import { crashOnData } from './crash.ts'
import { redirectConnections } from './redirect.ts'

const { ALMANAC_CHAOS_REDIRECT, ALMANAC_CHAOS_CONTROLS } = process.env
if (ALMANAC_CHAOS_REDIRECT) redirectConnections(JSON.parse(ALMANAC_CHAOS_REDIRECT))
if (!isMainThread) crashOnData()
else {
  endWithParent()
  if (ALMANAC_CHAOS_CONTROLS) obey(ALMANAC_CHAOS_CONTROLS)
}

function obey(file: string): void {
  const clock = movableClock()
  const ballast = createBallast()
  followControls(file, ({ clockMs, ballastMb }) => {
    clock.setOffset(clockMs)
    ballast.setMegabytes(ballastMb)
  })
}

/** What a killed harness leaves behind would hold ports and memory for ever. */
function endWithParent(): void {
  const parent = process.ppid
  const look = () => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL')
  }
  setInterval(look, 2_000).unref()
}
