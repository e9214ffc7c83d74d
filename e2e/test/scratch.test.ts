import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { csvOf, makeSalesWorld } from '@almanac/tables'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { freePort, ManagedProcess } from '../../deploy/local/process.ts'
import { call, eventually } from '../support/client.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let folder: string
let machine: ManagedProcess
let scratch: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-e2e-'))
  scratch = join(folder, 'data/scratch')
  const port = await freePort()
  machine = new ManagedProcess({
    name: 'almanac',
    script: 'deploy/local/start.mjs',
    args: ['--port', String(port), '--data', join(folder, 'data'), '--nodes', '1'],
    env: { ALMANAC_LOG_LEVEL: 'info' },
    url: `http://127.0.0.1:${port}`,
    logDir: folder,
    readyPath: '/readyz',
    readyMs: 30_000,
  })
  await machine.start()
})
afterAll(async () => {
  await machine?.stop()
  await rm(folder, { recursive: true, force: true })
})

const recipe = {
  source: { format: 'csv' },
  time: { column: 'date' },
  target: 'quantity',
  keys: ['store_id', 'product_id'],
  frequency: 'daily',
}
/** Of one process: a folder and a lock. */
const places = async () => (await readdir(scratch)).filter((name) => !name.endsWith('.lock'))

/** What tables take while they are read. */
const namesIn = (place: string) =>
  readdir(join(scratch, place), { recursive: true }).catch((): string[] => [])

const isRead = (names: readonly string[]) => names.some((name) => name.endsWith('work.duckdb'))
const isFitted = (names: readonly string[]) =>
  names.some((name) => name.endsWith('clean.csv')) && !isRead(names)

const isAlive = (pid: number) => existsSync(`/proc/${pid}/exe`)

const forest = { family: 'regression', model: { kind: 'forest', trees: 10 } }

test.each([
  ['reads a table', { family: 'baseline', method: 'naive' }, isRead],
  ['reads one for a regression', forest, isRead],
  ['fits a regression', forest, isFitted],
])('a process that is killed while it %s leaves nothing behind', async (_, spec, isUnderWay) => {
  const world = makeSalesWorld({ stores: 8, products: 30, days: 500, firstDay: 19_358, seed: 1 })
  const table = Buffer.concat([...csvOf(world)]).toString()
  await call('PUT', `${machine.url}/api/files/sales.csv`, { body: table })
  const body = { table: { file: 'sales.csv', recipe }, spec }
  const headers = { prefer: 'respond-async' }
  const fit = await call('POST', `${machine.url}/api/models/sales/fit`, { body, headers })
  expect(fit.status, fit.text).toBe(202)
  const [place = ''] = await places()
  await eventually('work', () => namesIn(place), isUnderWay, 60_000)
  const children = String(execFileSync('pgrep', ['-P', String(machine.pid)]))
  const pids = children.trim().split('\n').map(Number)

  await machine.kill()
  expect(await namesIn(place)).not.toEqual([])
  await machine.start()

  expect(await places()).toHaveLength(1)
  expect(await places()).not.toContain(place)
  await eventually(
    'the end of the processes that the other one had',
    async () => pids.filter(isAlive),
    (left) => left.length === 0,
  )
  const [own = ''] = await places()
  await eventually(
    'the fit, by the process that is there now',
    () => call('GET', `${machine.url}/api/jobs/${fit.body.job}`),
    ({ text }) => JSON.parse(text).state === 'done',
    90_000,
  )
  expect(await readdir(join(scratch, own))).toEqual([])
})
