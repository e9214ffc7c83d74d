import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../../deploy/local/process.ts'
import type { Target } from '../target.ts'
import { scripts } from './install.ts'

/** How a peer is installed, started and asked. */
export type Peer = {
  readonly name: string
  /** Of its virtual environment. */
  readonly folder: string
  readonly packages: readonly string[]
  readonly prepare: (place: Place) => Promise<Prepared>
}

type Place = {
  readonly venv: string
  readonly modelFile: string
  /** Of this run alone, and short: names of sockets have a limit. */
  readonly home: string
  readonly workers: number
}

export type Prepared = {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly target: Target
  /** Tells the process that computes forecasts from its helpers, by its command line. */
  readonly isWorker: RegExp
}

const statsmodels = 'statsmodels==0.15.0'
const get = (port: number): Target => ({
  origin: `http://127.0.0.1:${port}`,
  method: 'GET',
  path: '/forecast/500?level=LEVEL',
  body: '',
  headers: {},
})

const flask: Peer = {
  name: 'Flask 3.1.2 + statsmodels',
  folder: 'flask',
  packages: ['flask==3.1.2', statsmodels],
  async prepare({ venv, modelFile }) {
    const port = await freePort()
    const server = join(scripts, 'flask_server.py')
    return {
      command: [join(venv, 'bin/python'), server, modelFile, String(port)],
      env: {},
      cwd: scripts,
      target: get(port),
      isWorker: /flask_server/,
    }
  },
}

const mlserver: Peer = {
  name: 'MLServer 1.7.1',
  folder: 'mlserver',
  // A later uvloop has no loop for the processes that MLServer forks.
  packages: ['mlserver==1.7.1', 'uvloop==0.21.0', statsmodels],
  async prepare({ venv, modelFile, home, workers }) {
    const [http, grpc, metrics] = [await freePort(), await freePort(), await freePort()]
    await mkdir(home, { recursive: true })
    const settings = {
      host: '127.0.0.1',
      http_port: http,
      grpc_port: grpc,
      metrics_port: metrics,
      parallel_workers: workers,
      debug: false,
    }
    const model = {
      name: 'arima',
      implementation: 'mlserver_runtime.ArimaRuntime',
      parameters: { version: 'v1' },
    }
    await writeFile(join(home, 'settings.json'), JSON.stringify(settings))
    await writeFile(join(home, 'model-settings.json'), JSON.stringify(model))
    const input = (name: string, datatype: string, value: string) =>
      `{"name":"${name}","shape":[1],"datatype":"${datatype}","data":[${value}]}`
    return {
      command: [join(venv, 'bin/mlserver'), 'start', home],
      env: { ARIMA_MODEL: modelFile },
      cwd: home,
      target: {
        origin: `http://127.0.0.1:${http}`,
        method: 'POST',
        path: '/v2/models/arima/infer',
        body: `{"inputs":[${input('horizon', 'INT64', '500')},${input('level', 'FP64', 'LEVEL')}]}`,
        headers: { 'content-type': 'application/json' },
      },
      isWorker: /spawn_main|forkserver/,
    }
  },
}

const bentoml: Peer = {
  name: 'BentoML 1.4.39',
  folder: 'bentoml',
  packages: ['bentoml==1.4.39', statsmodels],
  async prepare({ venv, modelFile, home, workers }) {
    const port = await freePort()
    const address = ['-p', String(port), '--host', '127.0.0.1']
    return {
      command: [join(venv, 'bin/bentoml'), 'serve', 'bento_service:Arima', ...address],
      env: {
        ARIMA_MODEL: modelFile,
        ARIMA_WORKERS: String(workers),
        BENTOML_HOME: join(home, 'bento'),
        BENTOML_DO_NOT_TRACK: 'true',
      },
      cwd: scripts,
      target: {
        origin: `http://127.0.0.1:${port}`,
        method: 'POST',
        path: '/forecast',
        body: '{"horizon":500,"level":LEVEL}',
        headers: { 'content-type': 'application/json' },
      },
      isWorker: /_bentoml_impl.worker|service_worker/,
    }
  },
}

const ray: Peer = {
  name: 'Ray Serve 2.60.0, 2 replicas',
  folder: 'ray',
  packages: ['ray[serve]==2.60.0', statsmodels],
  async prepare({ venv, modelFile, home }) {
    const port = await freePort()
    const server = join(scripts, 'ray_server.py')
    return {
      command: [join(venv, 'bin/python'), server, modelFile, String(port), home],
      env: { RAY_USAGE_STATS_ENABLED: '0' },
      cwd: scripts,
      target: get(port),
      isWorker: /ServeReplica/,
    }
  },
}

export const peers: readonly Peer[] = [flask, mlserver, bentoml, ray]
