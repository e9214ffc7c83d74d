import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { type Child, startChild } from '../../../shared/test/support/child.ts'
import { until } from '../support/machine.ts'

const main = fileURLToPath(new URL('../../src/main/main.ts', import.meta.url))
/** Ports that nobody listens on: backends that are away. */
const away = ['--etcd', '127.0.0.1:1', '--cql', '127.0.0.1:1', '--port', '0']

test('missing settings end the process at start, all of them named', async () => {
  const child = start([])
  expect(await child.ended(40_000)).toBe(2)
  expect(child.errors()).toContain('--etcd')
  expect(child.errors()).toContain('--cql')
})

test('help tells every option', async () => {
  const child = start(['--help'])
  expect(await child.ended(40_000)).toBe(0)
  for (const flag of ['--host', '--port', '--roles', '--fit-workers', '--etcd', '--cql'])
    expect(child.lines.join('\n')).toContain(flag)
})

test.each(['SIGTERM', 'SIGINT'] as const)(
  'without its backends a node waits, not ready, until %s ends it with code 0',
  async (signal) => {
    const child = start(away)
    const url = await listening(child)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect((await fetch(`${url}/readyz`)).status).toBe(503)

    child.process.kill(signal)

    expect(await child.ended(30_000)).toBe(0)
  },
)

test('a second signal ends a node at once', async () => {
  const child = start(away)
  await listening(child)
  child.process.kill('SIGTERM')
  await until(() => child.errors().includes('"stopping"'))

  child.process.kill('SIGTERM')

  expect(await child.ended(2_000)).toBe(130)
})

test('an address that is taken ends the process with its name', async () => {
  const child = start(away)
  const { port } = new URL(await listening(child))
  const second = start([...away.slice(0, -1), port])
  expect(await second.ended(40_000)).toBe(1)
  expect(second.errors()).toContain('EADDRINUSE')
})

function start(argv: readonly string[]): Child {
  const child = startChild(main, argv)
  onTestFinished(() => void child.process.kill('SIGKILL'))
  return child
}

async function listening(child: Child): Promise<string> {
  const url = () => /"url":"(http:[^"]+)"/.exec(child.errors())?.[1]
  await until(() => url() !== undefined)
  return url()!
}
