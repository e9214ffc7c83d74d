import { type RunningNode, startNode } from '@almanac/model-api'
import { Registry } from '@almanac/shared'
import type { Process } from '../world/world.ts'
import { createFitter, type FitCourse } from './fitter.ts'
import { type Server, serverMaker } from './http.ts'
import { ownParts, type Surroundings } from './parts.ts'
import { createTableReader } from './table-reader.ts'

export type NodeProcess = {
  readonly process: Process
  readonly origin: string
  server: Server | undefined
  node: RunningNode | undefined
  isDraining: boolean
}

const ip = '10.0.0.1'

/** The address of a node is that of its name: a restarted one has it again. */
export const nodePort = (name: string) => 7_000 + Number(name.split('-')[1])
export const nodeOrigin = (name: string) => `http://${ip}:${nodePort(name)}`

/** Starts a node process; it joins in its own time. */
export function startNodeProcess(
  around: Surroundings,
  name: string,
  courseOf: (value: number) => FitCourse,
): NodeProcess {
  const { world } = around
  const process = world.startProcess(name)
  const started: NodeProcess = {
    process,
    origin: nodeOrigin(name),
    server: undefined,
    node: undefined,
    isDraining: false,
  }
  const start = async () => {
    const parts = await ownParts(around, process)
    started.node = await startNode({
      ...parts,
      host: ip,
      port: nodePort(name),
      advertiseIp: ip,
      roles: ['fit', 'serve'],
      fitWorkers: 1,
      token: 'secret',
      registry: new Registry(),
      fitter: createFitter({ world, process, courseOf }),
      tableReader: createTableReader({
        ...{ world, process, courseOf },
        areFilesAway: () => around.store.isAway,
      }),
      createServer: serverMaker((server) => {
        started.server = server
      }),
    })
  }
  world.within(process, () => {
    start().catch((error) => world.report('a node did not start', error))
  })
  return started
}
