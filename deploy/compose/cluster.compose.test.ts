import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { call, eventually } from '../../e2e/support/client.ts'
import { freePort } from '../local/process.ts'
import { dockerEngine, type Engine, podmanEngine, podmanEnv } from './engine.ts'
import { faultsOf, startForecasts } from './forecasts.ts'
import { prepareImages } from './prepare-images.ts'
import { Stack } from './stack.ts'

const standIns = process.env.ALMANAC_STAND_IN_IMAGES === '1'
const forecastsPerSecond = 60
const yearDays = 365
/** Three years are too few to find a year that nobody gives: its lags are all alike. */
const fittedDays = 1_500

let engine: Engine
let stack: Stack
let folder: string
let failed = false

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-compose-'))
  const project = basename(folder).toLowerCase()
  engine = await (standIns ? enginePrepared(project) : dockerEngine())
  stack = new Stack(engine, project, await freePort(), folder)
  failed = true
  await stack.build()
  await stack.up(2)
  failed = false
})

afterEach(({ task }) => {
  if (task.result?.state === 'fail') failed = true
})

afterAll(async () => {
  if (failed) process.stderr.write(`Output of all containers: ${await stack.keepOutput()}\n`)
  await stack.remove()
  await engine.close()
  if (!failed) await rm(folder, { recursive: true, force: true })
})

describe('docker-compose.yml', () => {
  test('comes up as written: every check is healthy and the broker sees both nodes', async () => {
    await untilNodes(2)
    for (const service of ['etcd', 'scylla', 'broker', 'model-api']) await untilHealthy(service)
    expect(await stack.containers('broker')).toHaveLength(1)
    expect(await stack.containers('model-api')).toHaveLength(2)
  })

  test('the processes run without root, on files that they cannot change', async () => {
    for (const container of await ourContainers()) {
      expect(container).toMatchObject({ readOnly: true, restartPolicy: 'unless-stopped' })
      expect((await stack.exec(container.id, ['id', '-u'])).trim()).toBe('1000')
      await expect(stack.exec(container.id, ['touch', '/app/x'])).rejects.toThrow('Read-only')
      const capabilities = await stack.exec(container.id, ['grep', 'CapEff', '/proc/1/status'])
      expect(capabilities.split(/\s+/)[1]).toBe('0000000000000000')
    }
  })

  test('the memory limits hold inside of the containers', async () => {
    const limits = { broker: 768, 'model-api': 1_024 + 512 }
    for (const [service, megabytes] of Object.entries(limits)) {
      const [container] = await stack.containers(service)
      const script = 'console.log(process.constrainedMemory())'
      const seen = await stack.exec(container?.id ?? '', ['node', '-e', script])
      expect(Number(seen)).toBe(megabytes * 1_024 * 1_024)
    }
  })

  test('the token is one and the same for all, and stands in no description of them', async () => {
    const ours = await ourContainers()
    const tokens = ours.map(({ id }) => stack.exec(id, ['cat', '/var/lib/almanac/token']))
    const [token = '', ...others] = await Promise.all(tokens)
    expect(token).toMatch(/^[0-9a-f]{64}$/)
    expect(new Set(others)).toEqual(new Set([token]))
    for (const { description } of ours) expect(description).not.toContain(token)
  })
})

describe('the cluster', () => {
  test('fits a daily series and forecasts its season', async () => {
    const fit = await call('POST', `${stack.url}/api/fit_model`, {
      body: { data: series(fittedDays) },
    })
    expect(fit.status, fit.text).toBe(200)
    expect(fit.body).toMatchObject({ version: 1, state: 'serving' })
    const answer = await call('GET', `${stack.url}/api/forecast/${yearDays}`)
    expect(answer.status, answer.text).toBe(200)
    const { data } = answer.body as unknown as { data: number[] }
    expect(data).toHaveLength(yearDays)
    const misses = data.map((value, day) => Math.abs(value - season(fittedDays + day)))
    expect(Math.max(...misses)).toBeLessThan(3)
  })

  test('no forecast fails while it grows to four nodes and shrinks to two', async () => {
    const before = await requestsToNodes()
    const load = startForecasts(stack.url, forecastsPerSecond)
    await delay(2_000)
    await stack.up(4)
    await untilNodes(4)
    await untilHealthy('model-api')
    await delay(3_000)
    await stack.up(2)
    await untilNodes(2)
    await delay(3_000)
    const seen = await load.stop()
    expect(faultsOf(seen, 1)).toEqual([])
    expect((await requestsToNodes()) - before).toBeGreaterThanOrEqual(seen.length)
    expect(seen.length).toBeGreaterThan(8 * forecastsPerSecond)
    expect(await stack.containers('model-api')).toHaveLength(2)
  })

  test('no forecast fails when a node is killed, and it is replaced', async () => {
    const load = startForecasts(stack.url, forecastsPerSecond)
    await delay(2_000)
    const [victim] = await stack.containers('model-api')
    await stack.kill(victim?.id ?? '')
    await untilNodes(1)
    await stack.up(2)
    await untilNodes(2)
    await delay(2_000)
    const seen = await load.stop()
    expect(faultsOf(seen, 1)).toEqual([])
    expect(seen.length).toBeGreaterThan(4 * forecastsPerSecond)
  })

  test('a restarted broker drains, and answers from the version that served before', async () => {
    const before = await call('GET', `${stack.url}/api/forecast/30`)
    await stack.restart('broker')
    const [broker] = await stack.containers('broker')
    expect(await stack.logs(broker?.id ?? '')).toContain('"event":"broker-draining"')
    const after = await eventually(
      'the forecast of the restarted broker',
      () => call('GET', `${stack.url}/api/forecast/30`, { timeoutMs: 2_000 }),
      ({ status }) => status === 200,
    )
    expect(after.headers['x-model-version']).toBe('1')
    expect(after.text).toBe(before.text)
  })
})

async function enginePrepared(project: string): Promise<Engine> {
  const env = await podmanEnv(folder)
  await prepareImages(env, join(folder, 'images.log'))
  return podmanEngine(folder, project, env)
}

/** Days around 12 with a warm and a cold half, and noise that repeats. */
function series(days: number): number[] {
  return Array.from({ length: days }, (_, day) => {
    const noise = Math.sin(day * 12.9898) * 43_758.5453
    return season(day) + (noise - Math.floor(noise) - 0.5)
  })
}

function season(day: number): number {
  return 12 + 8 * Math.sin((2 * Math.PI * day) / yearDays)
}

/** How often the broker asked a node, by its own count. */
async function requestsToNodes(): Promise<number> {
  const { text } = await call('GET', `${stack.url}/metrics`)
  const counts = [...text.matchAll(/^almanac_upstream_seconds_count.* (\d+)$/gm)]
  return counts.reduce((sum, [, count]) => sum + Number(count), 0)
}

async function ourContainers() {
  return [...(await stack.containers('broker')), ...(await stack.containers('model-api'))]
}

async function untilNodes(count: number): Promise<void> {
  await eventually(
    `${count} nodes at the broker`,
    () => call('GET', `${stack.url}/api/nodes`, { timeoutMs: 5_000 }),
    ({ body }) => body.nodes?.length === count,
    60_000,
  )
}

async function untilHealthy(service: string): Promise<void> {
  await eventually(
    `${service} healthy`,
    () => stack.containers(service),
    (containers) => containers.every(({ health }) => health === 'healthy'),
    60_000,
  )
}
