import { limits } from '@almanac/shared'
import { hotPathAlone, questionPath } from './hot-path-alone.ts'

/**
 * CPU time of what the broker itself does for a familiar forecast, kept and forwarded: all but
 * Node's HTTP and the client library, which are stood in for by nothing. Steady on a busy machine.
 */
const requests = 300_000
const warmUp = 100_000

for (const [name, responseCacheBytes] of [
  ['kept', limits.responseCacheBytes],
  ['forwarded', 0],
] as const)
  process.stdout.write(`${name}: ${(await microsOf(responseCacheBytes)).toFixed(2)} µs a request\n`)

async function microsOf(responseCacheBytes: number): Promise<number> {
  const { first, learn } = hotPathAlone(responseCacheBytes, Buffer.alloc(9_000))
  const head = { headers: { host: 'localhost' }, rawHeaders: [], httpVersion: '1.1' }
  const request = { method: 'GET', url: questionPath, ...head }
  // A question is remembered when it comes a second time.
  for (let times = 0; times < 2; times++) learn(head.headers)
  const one = () =>
    new Promise<void>((done) => {
      const nothing = { writeHead: () => {}, once: () => {}, off: () => {} }
      first(request as never, { ...nothing, writableLength: 0, end: done } as never)
    })
  for (let i = 0; i < warmUp; i++) await one()
  const before = process.cpuUsage()
  for (let i = 0; i < requests; i++) await one()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / requests
}
