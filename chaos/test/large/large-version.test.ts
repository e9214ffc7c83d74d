import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@almanac/shared'
import { expect, onTestFinished, test } from 'vitest'
import { openOneMachine } from '../../../deploy/local/one-machine.ts'
import { call } from '../../../e2e/support/client.ts'
import { smallSeries } from '../../../e2e/support/data.ts'

/** A machine whose fits make models as large as their series asks. */
async function machineWithLargeModels() {
  const data = await mkdtemp(join(tmpdir(), 'almanac-large-test-'))
  const machine = await openOneMachine(
    { port: 0, host: '127.0.0.1', data, nodes: 2, token: null, logLevel: 'silent' },
    createLogger({ process: 'test', level: 'silent' }),
    { node: { fitWorkerFile: new URL('../../large/padded-fit-worker.ts', import.meta.url) } },
  )
  onTestFinished(async () => {
    await machine.close()
    await rm(data, { recursive: true, force: true })
  })
  return machine
}

test('a version that is decoded in a thread serves like any other, and others beside it', async () => {
  const { url } = await machineWithLargeModels()
  const fitted = async (model: string, megabytes: number) => {
    const series = [{ key: `megabytes-${megabytes}`, y: smallSeries(5, 200) }]
    const body = { series, spec: { family: 'automatic' } }
    const { status } = await call('POST', `${url}/api/models/${model}/fit`, { body })
    expect(status).toBe(200)
    return (await call('GET', `${url}/api/models/${model}/forecast/24?level=80`)).text
  }
  const small = await fitted('small', 0)
  const large = await fitted('large', 6)
  const { text } = await call('GET', `${url}/api/models/large/versions/1`)
  expect((JSON.parse(text) as { sizeBytes: number }).sizeBytes).toBeGreaterThan(6_000_000)
  // Repairs change nothing about what is to come.
  expect(large).toBe(small)
  expect(await fitted('small', 0)).toBe(small)
}, 60_000)
