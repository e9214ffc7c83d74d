import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createLogger, createServer as createOurServer, limits } from '@almanac/shared'
import { freePort, ManagedProcess } from '../deploy/local/process.ts'
import { hotPathAlone, questionPath } from './hot-path-alone.ts'
import { measure, pin } from './measure.ts'
import { median } from './statistics.ts'

/**
 * Where the CPU time of a kept forecast goes: the least that Node can do, and what is added to it.
 * All are asked at the same time on one core, so that whatever else goes on slows all alike.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '5' },
    serve: { type: 'string' },
    port: { type: 'string', default: '0' },
  },
})
const port = Number(values.port)
const host = '127.0.0.1'
const body = Buffer.alloc(9_300, '1')
const type = 'application/json; charset=utf-8'
const least = ['content-type', type, 'content-length', String(body.byteLength)]
const ours = ['x-model-version', '1', 'x-request-id', '12345678-1234-1234-1234-123456789012']
ours.push('etag', '"default-1-500"', 'cache-control', 'no-cache')

const layers: Readonly<Record<string, () => unknown>> = {
  'node:http': () => bare({}, least),
  'node:http, its own twin': () => bare({}, least),
  'without events of empty bodies': () => bare({ optimizeEmptyRequests: true }, least),
  'and our headers': () => bare({ optimizeEmptyRequests: true }, [...least, ...ours]),
  'and our server and hot path': hotPath,
}

if (values.serve !== undefined) await layers[values.serve]?.()
else await compare()

function bare(options: { readonly optimizeEmptyRequests?: boolean }, headers: string[]): void {
  createServer(options, (_, response) => {
    response.writeHead(200, headers)
    response.end(body)
  }).listen(port, host)
}

async function hotPath(): Promise<void> {
  const { first, learn, registry, times } = hotPathAlone(limits.responseCacheBytes, body)
  const server = createOurServer({
    ...{ first, registry, times, bodyBytesMax: limits.bodyBytesMax },
    logger: createLogger({ process: 'layers', level: 'error' }),
    readiness: () => ({ ready: true }),
  })
  learn({ host: `${host}:${port}` })
  await server.listen({ port, host })
}

async function compare(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-layers-'))
  const processes: ManagedProcess[] = []
  const cpuMicros = new Map(Object.keys(layers).map((name) => [name, [] as number[]]))
  try {
    for (const name of cpuMicros.keys()) processes.push(await start(name, folder))
    for (let round = 0; round <= Number(values.rounds); round += 1)
      await Promise.all(
        processes.map(async ({ name, pid, url }) => {
          const what = { url: url + questionPath, pid: pid as number, core: '1' }
          const measured = await measure({ ...what, seconds: Number(values.seconds) })
          // The first round is for the compilers.
          if (round > 0) cpuMicros.get(name)?.push(measured.cpuMicros)
        }),
      )
  } finally {
    for (const process of processes) await process.stop()
    await rm(folder, { recursive: true, force: true })
  }
  report(cpuMicros)
}

async function start(name: string, logDir: string): Promise<ManagedProcess> {
  const free = await freePort()
  const process = new ManagedProcess({
    ...{ name, logDir, script: 'bench/layers.ts', args: ['--serve', name, '--port', `${free}`] },
    ...{ env: {}, url: `http://${host}:${free}`, readyPath: '/readyz', readyMs: 20_000 },
  })
  await process.start()
  await pin(process.pid as number, '0')
  return process
}

function report(cpuMicros: ReadonlyMap<string, readonly number[]>): void {
  const [first = []] = cpuMicros.values()
  process.stdout.write('| layer | CPU µs/request | / the first, median of pairs | least – most |\n')
  process.stdout.write('|---|---|---|---|\n')
  for (const [name, runs] of cpuMicros) {
    const ratios = runs.map((one, i) => one / (first[i] ?? Number.NaN))
    const between = `${Math.min(...ratios).toFixed(2)} – ${Math.max(...ratios).toFixed(2)}`
    const cells = [name, median(runs).toFixed(1), median(ratios).toFixed(3), between]
    process.stdout.write(`| ${cells.join(' | ')} |\n`)
  }
}
