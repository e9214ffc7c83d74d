import { World } from '../../simulation/world/world.ts'

/** A world that goes by the real clock: to hold what is simulated against suites of the real. */
export function realTimeWorld(seed: number): World {
  const world = new World({ seed })
  Object.defineProperty(world, 'nowMs', { get: () => performance.now() })
  world.after = (delayMs, owner, work) => {
    const event = { atMs: world.nowMs + delayMs, order: 0, owner, work, cancelled: false }
    setTimeout(() => {
      if (!event.cancelled) work()
    }, delayMs)
    return event
  }
  return world
}
