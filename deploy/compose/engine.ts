import { type ChildProcess, spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { cache, run, succeeds } from './command.ts'

/** A container engine that answers the Docker API, and Docker Compose to drive it. */
export type Engine = {
  /** `docker` or `podman`: their command lines agree on all that is used here. */
  readonly cli: string
  /** The command line that `docker compose` stands for. */
  readonly compose: readonly string[]
  readonly env: Readonly<Record<string, string>>
  close(): Promise<void>
}

export type PodmanEnv = Readonly<Record<string, string>>

/**
 * The environment of every podman command. Images that stand in for official ones bear their names,
 * so they live in a storage of their own, apart from what else podman has on this machine.
 */
export async function podmanEnv(folder: string): Promise<PodmanEnv> {
  const storage = join(folder, 'storage.conf')
  const root = join(cache, 'podman')
  const lines = ['[storage]', 'driver = "overlay"', `graphroot = "${root}"`]
  await writeFile(storage, [...lines, 'runroot = "/run/almanac-podman"', ''].join('\n'))
  return {
    CONTAINERS_CONF: join(import.meta.dirname, 'containers.conf'),
    CONTAINERS_STORAGE_CONF: storage,
  }
}

/** Docker as it is on this machine. Throws when it does not answer. */
export async function dockerEngine(): Promise<Engine> {
  const answers = await succeeds('docker', ['compose', 'version'])
  if (!answers || !(await succeeds('docker', ['info'])))
    throw new Error(
      'Docker with its compose plugin does not answer. Start it, or set ' +
        'ALMANAC_STAND_IN_IMAGES=1 to use podman and images made here (docs/compose.md).',
    )
  return { cli: 'docker', compose: ['docker', 'compose'], env: {}, close: async () => undefined }
}

/**
 * Podman behind the Docker API. Where systemd does not run, podman starts no health check, so this
 * does what its timers would: runs each container's own check every two seconds.
 */
export async function podmanEngine(
  folder: string,
  project: string,
  podman: PodmanEnv,
): Promise<Engine> {
  const socket = `unix://${join(folder, 'podman.sock')}`
  const log = openSync(join(folder, 'podman-service.log'), 'a')
  const service = spawn('podman', ['system', 'service', '--time=0', socket], {
    env: { ...process.env, ...podman },
    stdio: ['ignore', log, log],
  })
  const cease = new AbortController()
  const checks = runHealthChecks(project, podman, cease.signal)
  // The images are built by the engine itself: buildx would have to pull an image of its own.
  const build = { DOCKER_BUILDKIT: '0', COMPOSE_BAKE: 'false' }
  return {
    cli: 'podman',
    compose: (await succeeds('docker', ['compose', 'version']))
      ? ['docker', 'compose']
      : [join(cache, 'docker-compose')],
    env: { ...podman, ...build, DOCKER_HOST: socket },
    close: async () => {
      cease.abort()
      await checks
      await ended(service)
      await run('podman', ['image', 'prune', '--force'], { env: podman })
    },
  }
}

async function runHealthChecks(
  project: string,
  env: PodmanEnv,
  signal: AbortSignal,
): Promise<void> {
  const filter = `label=com.docker.compose.project=${project}`
  while (!signal.aborted) {
    const listed = await run('podman', ['ps', '--quiet', '--filter', filter], { env })
    for (const id of listed.split('\n').filter(Boolean)) {
      // A check that fails is the engine's to count; a container that just went is no fault.
      await run('podman', ['healthcheck', 'run', id], { env }).catch(() => undefined)
    }
    await delay(2_000, undefined, { signal }).catch(() => undefined)
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  await new Promise((resolve) => {
    child.once('exit', resolve)
    child.kill('SIGTERM')
  })
}
