import { join } from 'node:path'
import { freePort } from '../../../deploy/local/process.ts'
import { answers, type Server, startServer } from '../processes.ts'
import type { Target } from '../target.ts'

/**
 * Bare node:http that writes as many numbers and forecasts nothing: what it takes is the machine's,
 * the runtime's and the load generator's share.
 */
export async function startControl(place: {
  readonly folder: string
  readonly cores: string
}): Promise<{ readonly server: Server; readonly target: Target }> {
  const origin = `http://127.0.0.1:${await freePort()}`
  const { port } = new URL(origin)
  const server = await startServer({
    command: [process.execPath, join(import.meta.dirname, 'server.ts'), port],
    cwd: import.meta.dirname,
    env: {},
    logFile: join(place.folder, 'control.log'),
    cores: place.cores,
    isUp: () => answers(`${origin}/?level=80`),
  })
  return { server, target: { origin, method: 'GET', path: '/?level=LEVEL', body: '', headers: {} } }
}
