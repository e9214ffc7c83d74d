import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below those that the system gives to outgoing connections, which may take one meanwhile. */
const lowest = 11_000
const highest = 31_000

/**
 * Ports on loopback that nobody listens on, and that stay free while their process is away: what
 * is killed must come back at the same address.
 */
export async function stablePorts(count: number): Promise<number[]> {
  const found: number[] = []
  let port = randomInt(lowest, highest)
  for (let tried = 0; found.length < count; tried++) {
    if (tried > highest - lowest) throw new Error(`no ${count} free ports from ${lowest} on`)
    port = port + 1 < highest ? port + 1 : lowest
    if (await isFree(port)) found.push(port)
  }
  return found
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    return true
  } catch {
    return false
  }
}
