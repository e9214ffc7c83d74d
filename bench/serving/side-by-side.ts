import { startAlmanac } from './almanac/start.ts'
import { type InstalledPeer, type Missing, startPeer } from './peers/start.ts'
import type { Finding } from './report.ts'
import type { Contestant, Contestants, Options } from './run.ts'

/** Starts everybody on one core, and hands them to a row; who does not start is told in `absent`. */
export async function sideBySide(
  options: Options,
  installed: readonly InstalledPeer[],
  folder: string,
  absent: Missing[],
  row: (contestants: Contestants) => Promise<Finding>,
): Promise<Finding> {
  const opened: (() => Promise<void>)[] = []
  const contestants: Contestant[] = []
  const cores = options.serverCore
  try {
    const almanac = await startAlmanac({ folder, cores })
    const { pid, stop } = almanac.server
    opened.push(stop)
    for (const kind of ['automatic', 'arima'] as const) {
      const own = { kind: 'own', pid } as const
      const [whole, node] = [almanac.broker(kind), await almanac.node(kind)]
      contestants.push({ ...own, name: `Almanac, ${kind}, npm start`, target: whole })
      contestants.push({ ...own, name: `Almanac, ${kind}, node`, target: node })
    }
    for (const each of installed) {
      try {
        const { name, target, server } = await startPeer(each, { home: folder, cores })
        opened.push(server.stop)
        contestants.push({ name, kind: 'peer', pid: server.pid, target })
      } catch (error) {
        absent.push({ name: each.peer.name, reason: `not started: ${(error as Error).message}` })
      }
    }
    return await row({ options, folder, contestants })
  } finally {
    for (const close of opened.reverse()) await close()
  }
}
