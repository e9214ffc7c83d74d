import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './command.ts'
import type { Engine } from './engine.ts'

/** What the engine says of one container, as far as it is looked at here. */
export type Container = {
  readonly id: string
  readonly running: boolean
  readonly health: string
  readonly restartPolicy: string
  readonly readOnly: boolean
  /** All that the engine tells about it, as text. */
  readonly description: string
}

/** `docker-compose.yml` as a project of its own, on a port of its own. */
export class Stack {
  readonly project: string
  readonly url: string
  readonly log: string
  readonly #engine: Engine
  readonly #folder: string
  readonly #publish: string

  constructor(engine: Engine, project: string, port: number, folder: string) {
    this.project = project
    this.url = `http://127.0.0.1:${port}`
    this.log = join(folder, 'commands.log')
    this.#engine = engine
    this.#folder = folder
    this.#publish = `127.0.0.1:${port}`
  }

  build(): Promise<string> {
    return this.#compose(['build'], 400_000)
  }

  /**
   * Starts what does not run, ends the nodes that are too many, leaves the others as they are;
   * returns when all have been started.
   */
  up(nodes: number): Promise<string> {
    const scale = ['--scale', `model-api=${nodes}`]
    return this.#compose(['up', '--detach', '--no-build', '--no-recreate', ...scale], 240_000)
  }

  /** With the time that the file gives it to end; podman gives none unless it is told. */
  restart(service: string): Promise<string> {
    return this.#compose(['restart', '--timeout', '45', service], 90_000)
  }

  /** All that a container printed, before a restart too. It is kept in a file of that name. */
  async logs(id: string, name = id): Promise<string> {
    const log = join(this.#folder, `${name}.log`)
    await run(this.#engine.cli, ['logs', id], { env: this.#engine.env, log })
    return await readFile(log, 'utf8')
  }

  /** SIGKILL to the first process, from outside. */
  kill(id: string): Promise<string> {
    return this.#cli(['kill', '--signal', 'KILL', id])
  }

  exec(id: string, command: readonly string[]): Promise<string> {
    return this.#cli(['exec', id, ...command])
  }

  async containers(service: string): Promise<Container[]> {
    const ids = await this.#ids('ps', [`label=com.docker.compose.service=${service}`])
    const inspected = await Promise.all(ids.map((id) => this.#cli(['inspect', id])))
    return inspected.map(containerOf)
  }

  /** Appends what every container printed to files, for whoever looks for a cause. */
  async keepOutput(): Promise<string> {
    const ids = await this.#ids('ps', [])
    for (const id of ids) {
      const text = await this.#cli(['inspect', '--format', '{{.Name}}', id])
      const name = text.trim().replace(/^\//, '')
      await this.logs(id, name)
    }
    return this.#folder
  }

  /** Removes containers, networks and volumes of the project, by label too if compose fails. */
  async remove(): Promise<void> {
    const down = ['down', '--volumes', '--remove-orphans', '--timeout', '5']
    await this.#compose(down, 120_000).catch(() => undefined)
    for (const id of await this.#ids('ps', [])) await this.#cli(['rm', '--force', id])
    for (const id of await this.#ids('volume', [])) await this.#cli(['volume', 'rm', id])
    for (const id of await this.#ids('network', [])) await this.#cli(['network', 'rm', id])
  }

  async #ids(what: 'ps' | 'volume' | 'network', filters: readonly string[]): Promise<string[]> {
    const all = [`label=com.docker.compose.project=${this.project}`, ...filters]
    const listing = what === 'ps' ? ['ps', '--all'] : [what, 'ls']
    const args = [...listing, '--quiet', ...all.flatMap((filter) => ['--filter', filter])]
    return (await this.#cli(args)).split('\n').filter(Boolean)
  }

  #compose(args: readonly string[], timeoutMs: number): Promise<string> {
    const [command = 'docker', ...words] = this.#engine.compose
    const env = { ...this.#engine.env, ALMANAC_PUBLISH: this.#publish }
    return run(command, [...words, '--project-name', this.project, ...args], {
      env,
      timeoutMs,
      log: this.log,
    })
  }

  #cli(args: readonly string[]): Promise<string> {
    return run(this.#engine.cli, args, { env: this.#engine.env })
  }
}

type Inspected = {
  readonly Id: string
  readonly State: { readonly Running: boolean; readonly Health?: { readonly Status: string } }
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean
    readonly RestartPolicy: { readonly Name: string }
  }
}

function containerOf(description: string): Container {
  const [{ Id, State, HostConfig }] = JSON.parse(description) as [Inspected]
  return {
    id: Id,
    running: State.Running,
    health: State.Health?.Status ?? 'none',
    restartPolicy: HostConfig.RestartPolicy.Name,
    readOnly: HostConfig.ReadonlyRootfs,
    description,
  }
}
