import { chmod, copyFile, cp, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installCassandra } from '../local/cassandra.ts'
import { installEtcd } from '../local/etcd/install.ts'
import { cache, root, run } from './command.ts'
import type { PodmanEnv } from './engine.ts'

// Makes images under the names that docker-compose.yml and the Dockerfile ask for, on a machine
// that has podman and package registries but cannot pull. Nothing runs this unless asked to.

const standIns = join(import.meta.dirname, 'stand-ins')
const images = join(cache, 'images')

export async function prepareImages(env: PodmanEnv, log: string): Promise<void> {
  const podman = (args: readonly string[], timeoutMs = 120_000) =>
    run('podman', args, { env, timeoutMs, log })
  const folder = await mkdtemp(join(tmpdir(), 'almanac-images-'))
  const build = async (name: string, tag: string) => {
    const context = join(folder, name)
    await cp(join(standIns, name), context, { recursive: true })
    await podman(['build', '--tag', tag, context], 300_000)
  }
  try {
    await importDebian(podman, 'debian', [], log)
    await importDebian(podman, 'java', ['openjdk-17-jre-headless'], log)
    await layNode(join(folder, 'node'), log)
    await build('node', 'docker.io/library/node:24-bookworm-slim')
    await layEtcd(join(folder, 'etcd'), log)
    await build('etcd', 'quay.io/coreos/etcd:v3.6.5')
    await cp(await installCassandra(), join(folder, 'scylla/lib'), { recursive: true })
    await build('scylla', 'docker.io/scylladb/scylla:2025.1')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

type Podman = (args: readonly string[], timeoutMs?: number) => Promise<string>

/** The smallest Debian with some packages; the archive is kept, since it takes half a minute. */
async function importDebian(
  podman: Podman,
  name: string,
  packages: readonly string[],
  log: string,
): Promise<void> {
  const tag = `localhost/almanac-stand-in/${name}:bookworm`
  const archive = join(images, `${name}.tar`)
  if (await exists(archive)) {
    const there = await podman(['images', '--quiet', tag])
    if (there.trim() !== '') return
  } else {
    await mkdir(images, { recursive: true })
    const include = ['ca-certificates', ...packages].join(',')
    const args = ['--quiet', '--variant=minbase', `--include=${include}`, 'bookworm']
    await run('mmdebstrap', [...args, `${archive}.new.tar`], { timeoutMs: 600_000, log })
    await run('mv', [`${archive}.new.tar`, archive])
  }
  await podman(['import', archive, tag])
}

/** The runtime that `npm ci` brought, an npm, and the certificates that this machine trusts. */
async function layNode(context: string, log: string): Promise<void> {
  await mkdir(context, { recursive: true })
  await copyFile(join(root, 'node_modules/node/bin/node'), join(context, 'node'))
  await copyFile('/etc/ssl/certs/ca-certificates.crt', join(context, 'ca-certificates.crt'))
  await writeFile(join(context, 'npmrc'), 'cafile=/etc/ssl/certs/ca-certificates.crt\n')
  const install = ['install', '--no-save', '--prefix', join(context, 'tools'), 'npm@11']
  await run('npm', install, { timeoutMs: 120_000, cwd: context, log })
  await cp(join(context, 'tools/node_modules/npm'), join(context, 'npm'), { recursive: true })
  await rm(join(context, 'tools'), { recursive: true })
}

/** The etcd that the cluster suites use, and its own client for the health check. */
async function layEtcd(context: string, log: string): Promise<void> {
  await mkdir(context, { recursive: true })
  await copyFile(await installEtcd(), join(context, 'etcd'))
  const built = join(images, 'etcdctl-3.6.5')
  if (!(await exists(built))) {
    await mkdir(images, { recursive: true })
    const env = { CGO_ENABLED: '0' }
    const cwd = join(standIns, 'etcd')
    const args = ['build', '-trimpath', '-o', `${built}.new`, '.']
    await run('go', args, { timeoutMs: 600_000, env, cwd, log })
    await run('mv', [`${built}.new`, built])
  }
  await copyFile(built, join(context, 'etcdctl'))
  for (const name of ['etcd', 'etcdctl']) await chmod(join(context, name), 0o755)
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
