import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { headers } from '@almanac/shared'
import { freePort, threadFlag } from '../../../deploy/local/process.ts'
import { answers, type Server, startServer } from '../processes.ts'
import type { Target } from '../target.ts'

export type Almanac = {
  readonly server: Server
  readonly url: string
  /** Asked through the broker, by model. */
  readonly broker: (model: ModelKind) => Target
  /** The first node asked directly, as the broker asks it. */
  readonly node: (model: ModelKind) => Promise<Target>
}

/** What is fitted: the default, and the model of the peers. */
const models = {
  automatic: { name: 'default', spec: undefined },
  arima: { name: 'arima', spec: { family: 'arima', p: 7, d: 0, q: 1, differenceLag: 365 } },
} as const
export type ModelKind = keyof typeof models

export const root = join(import.meta.dirname, '../../..')
export const sampleFile = join(root, 'sample-data/melbourne-min-temperatures.json')

/** `npm start` with both models fitted, in a process of its own. */
export async function startAlmanac(options: {
  readonly folder: string
  readonly cores: string
  readonly nodes?: number
}): Promise<Almanac> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const logFile = join(options.folder, 'almanac.log')
  const script = join(import.meta.dirname, 'one-machine.ts')
  const data = join(options.folder, 'almanac')
  const server = await startServer({
    command: [process.execPath, threadFlag, script, data, String(port), `${options.nodes ?? 1}`],
    cwd: root,
    env: {},
    logFile,
    cores: options.cores,
    isUp: () => answers(`${url}/readyz`),
  })
  try {
    for (const kind of Object.keys(models) as ModelKind[]) await fitSample(url, kind)
  } catch (error) {
    await server.stop()
    throw error
  }
  const get = { method: 'GET', body: '', headers: {} } as const
  return {
    server,
    url,
    broker: (kind) => ({ ...get, origin: url, path: `${forecastPath(kind)}?level=LEVEL` }),
    async node(kind) {
      const { cluster } = JSON.parse(await readFile(logFile, 'utf8')) as { cluster: string }
      const { nodes } = (await read(`${url}/api/nodes`)) as { nodes: NodeView[] }
      const { ip, port: nodePort, instance } = nodes[0]!
      const { name } = models[kind]
      const { serving } = (await read(`${url}/api/models/${name}`)) as { serving: number }
      return {
        ...get,
        origin: `http://${ip}:${nodePort}`,
        path: `/internal/v1/forecast/default/${name}/${serving}/500?level=LEVEL`,
        headers: { [headers.cluster]: cluster, [headers.instance]: instance },
      }
    },
  }
}

type NodeView = { readonly ip: string; readonly port: number; readonly instance: string }

/** Fits the sample; resolves with the version that serves. */
export async function fitSample(url: string, kind: ModelKind): Promise<number> {
  const { name, spec } = models[kind]
  const { data } = JSON.parse(await readFile(sampleFile, 'utf8')) as { data: number[] }
  const answer = (await read(`${url}/api/models/${name}/fit`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ data, ...(spec === undefined ? {} : { spec }) }),
  })) as { version: number; state: string }
  if (answer.state !== 'serving') throw new Error(`a fit ended ${JSON.stringify(answer)}`)
  return answer.version
}

export function forecastPath(kind: ModelKind): string {
  return `/api/models/${models[kind].name}/forecast/500`
}

/** A JSON answer; rejects with its text when it is no success. */
export async function read(url: string, init: RequestInit = {}): Promise<unknown> {
  // As long as a fit may take on a machine that does other things, too.
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(60_000) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 500)}`)
  return JSON.parse(text)
}
