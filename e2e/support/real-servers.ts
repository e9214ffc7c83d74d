import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers'
import { installCassandra } from '../../deploy/local/cassandra.ts'
import { installEtcd } from '../../deploy/local/etcd/install.ts'
import { installKafka } from '../../deploy/local/kafka.ts'
import { installVersitygw } from '../../deploy/local/versitygw/install.ts'

/**
 * Where the real suites take their backends from: the environment, else containers where an engine
 * answers, else (the suites do that themselves) processes of this machine.
 */
export async function setup(): Promise<() => Promise<void>> {
  const started: StartedTestContainer[] = []
  const from = (name: string) => (process.env[name] ? 'the environment' : 'this machine')
  if (engineAnswers()) {
    if (!process.env.ALMANAC_TEST_ETCD) started.push(await startEtcdContainer())
    if (!process.env.ALMANAC_TEST_CQL) started.push(await startCqlContainer())
  }
  const source = started.length > 0 ? 'containers' : from('ALMANAC_TEST_ETCD')
  process.stdout.write(`etcd and the CQL database come from ${source}.\n`)
  if (source === 'this machine') {
    // The first time takes minutes, which no test should wait for.
    await installEtcd()
    await installCassandra()
  }
  await installVersitygw()
  await installKafka()
  return async () => {
    for (const container of started) await container.stop()
  }
}

/** A socket that is there is asked; a failure to start a container is then an error, not a skip. */
function engineAnswers(): boolean {
  if (process.env.ALMANAC_TEST_CONTAINERS === '0') return false
  return process.env.DOCKER_HOST !== undefined || existsSync('/var/run/docker.sock')
}

async function startEtcdContainer(): Promise<StartedTestContainer> {
  const container = await new GenericContainer(imageOf('etcd'))
    .withCommand([
      ...['/usr/local/bin/etcd', '--listen-client-urls=http://0.0.0.0:2379'],
      '--advertise-client-urls=http://0.0.0.0:2379',
    ])
    // Podman waits for every port that the image names.
    .withExposedPorts(2379, 2380)
    .withStartupTimeout(120_000)
    .withWaitStrategy(Wait.forLogMessage(/ready to serve client requests/))
    .start()
  process.env.ALMANAC_TEST_ETCD = `${container.getHost()}:${container.getMappedPort(2379)}`
  return container
}

async function startCqlContainer(): Promise<StartedTestContainer> {
  const container = await new GenericContainer(imageOf('scylla'))
    .withCommand(['--smp', '1', '--memory', '750M', '--overprovisioned', '1'])
    .withExposedPorts(9042)
    .withStartupTimeout(240_000)
    .withWaitStrategy(Wait.forListeningPorts())
    .start()
  process.env.ALMANAC_TEST_CQL = `${container.getHost()}:${container.getMappedPort(9042)}`
  return container
}

/** The images of the suites are those of `docker-compose.yml`. */
function imageOf(service: string): string {
  const compose = readFileSync(join(import.meta.dirname, '../../docker-compose.yml'), 'utf8')
  const image = new RegExp(`^  ${service}:\\n(?:    .*\\n)*?    image: (\\S+)`, 'm').exec(
    compose,
  )?.[1]
  if (!image) throw new Error(`docker-compose.yml names no image for ${service}`)
  return image
}
