import { createServer, type Server } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { MachineVitals } from './vitals.ts'

/** What a path below `/` answers; undefined for those that it does not know. */
export type MoreVitals = (path: string) => Promise<unknown> | undefined

/**
 * A look inside the process that calls this, on loopback: `GET /vitals` collects garbage first,
 * then tells what is in use.
 */
export function serveVitals(port: number, more: MoreVitals = () => undefined): Server {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const server = createServer((request, response) => {
    const answer = more(request.url ?? '/') ?? vitals(collectGarbage)
    answer
      .then((seen) => response.end(JSON.stringify(seen)))
      .catch((error: Error) => response.writeHead(500).end(error.message))
  })
  return server.listen(port, '127.0.0.1')
}

async function vitals(collectGarbage: () => void): Promise<MachineVitals> {
  // Twice: what finalizers let go of in the first is freed in the second.
  collectGarbage()
  await new Promise((done) => setImmediate(done))
  collectGarbage()
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage()
  return {
    rssBytes: rss,
    heapBytes: heapUsed,
    externalBytes: external,
    arrayBuffers,
    handles: process.getActiveResourcesInfo().length,
  }
}
