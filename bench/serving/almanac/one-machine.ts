import { createLogger } from '@almanac/shared'
import { openOneMachine } from '../../../deploy/local/one-machine.ts'

/**
 * `npm start` as a process that tells how its node is asked directly: one-machine.ts FOLDER PORT
 * NODES. The broker is part of it and has nothing to do while only the node is asked.
 */
const [data = '', port = '0', nodes = '1'] = process.argv.slice(2)
const machine = await openOneMachine(
  {
    host: '127.0.0.1',
    port: Number(port),
    data,
    nodes: Number(nodes),
    token: null,
    logLevel: 'warn',
  },
  createLogger({ process: 'almanac', level: 'warn' }),
)
const cluster = await machine.coordinator.clusterId(AbortSignal.timeout(5_000))
process.stdout.write(`${JSON.stringify({ url: machine.url, cluster })}\n`)
process.on('SIGTERM', () => void machine.close().then(() => process.exit(0)))
