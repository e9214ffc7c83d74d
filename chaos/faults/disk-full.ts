import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { codec, seededRandom } from '@almanac/shared'
import { Type } from 'typebox'
import { freePort, ManagedProcess } from '../../deploy/local/process.ts'
import { smallSpec, temperatures } from '../../e2e/support/data.ts'
import { pause } from '../pause.ts'

export type DiskFull = {
  readonly violations: readonly string[]
  readonly refusedFits: number
  readonly forecasts: number
  readonly wellAfterMs: number
}

const models = ['one', 'two'] as const
/** Room that the files still have when it begins, at most. */
const roomBytesMax = 300_000
const fullMs = 6_000
const wellAgainMs = 10_000
const forecastEveryMs = 50

/**
 * The data folder of the embedded default has no room left, as far as the process can tell (no
 * file of it may grow beyond a limit), while users are at work. No answer is a 500, forecasts go
 * on, fits are refused until there is room again, and after a SIGKILL all that was acknowledged is
 * there.
 */
export async function fillDisk(seed: number, signal: AbortSignal): Promise<DiskFull> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-disk-'))
  const machine = await startMachine(folder)
  const run = { machine, seed, signal, violations: [] as string[], random: seededRandom(seed) }
  try {
    return await play(run, join(folder, 'data'))
  } finally {
    await machine.kill()
    if (run.violations.length === 0) await rm(folder, { recursive: true, force: true })
  }
}

type Run = {
  readonly machine: ManagedProcess
  readonly signal: AbortSignal
  readonly violations: string[]
  readonly random: () => number
}

async function play(run: Run, data: string): Promise<DiskFull> {
  const { machine, random, violations, signal } = run
  const acknowledged = new Map<string, number>()
  const over = new AbortController()
  for (const model of models) {
    await postFit(run, model, acknowledged)
    while ((await servingOf(machine, model)) === 0) await pause(50, signal)
  }
  const forecasting = forecastOnAndOn(run, over.signal).catch((error: Error) => {
    violations.push(`a forecast broke off: ${error.message}`)
    return 0
  })
  await limitFiles(machine, (await largestBytes(data)) + Math.floor(random() * roomBytesMax))
  const untilMs = performance.now() + fullMs
  let refusedFits = 0
  for (let i = 0; performance.now() < untilMs && !signal.aborted; i++) {
    const isDone = await postFit(run, models[i % models.length]!, acknowledged)
    if (!isDone) refusedFits += 1
  }
  if (refusedFits === 0) violations.push('no fit was refused: the disk was not full')
  const liftedMs = performance.now()
  await limitFiles(machine, 'unlimited')
  for (const model of models) {
    const isLate = () => performance.now() - liftedMs > wellAgainMs || signal.aborted
    while (!(await postFit(run, model, acknowledged)) && !isLate()) await pause(100, signal)
    while ((await servingOf(machine, model)) < acknowledged.get(model)! && !isLate())
      await pause(50, signal)
    if (isLate()) violations.push(`${model} was not well ${wellAgainMs} ms after there was room`)
  }
  const wellAfterMs = Math.round(performance.now() - liftedMs)
  over.abort()
  const forecasts = await forecasting
  await machine.kill()
  await machine.start()
  for (const [model, version] of acknowledged) {
    const serving = await servingOf(machine, model)
    if (serving < version)
      violations.push(`${model} serves ${serving} after a restart, ${version} was acknowledged`)
  }
  return { violations, refusedFits, forecasts, wellAfterMs }
}

async function startMachine(folder: string): Promise<ManagedProcess> {
  const port = await freePort()
  const machine = new ManagedProcess({
    name: 'almanac',
    script: 'deploy/local/start.mjs',
    args: ['--port', String(port), '--data', join(folder, 'data'), '--nodes', '2'],
    env: {},
    url: `http://127.0.0.1:${port}`,
    logDir: folder,
    readyPath: '/readyz',
    readyMs: 60_000,
  })
  await machine.start()
  return machine
}

/** A write beyond it fails with EFBIG; what is there stays as it is. */
async function limitFiles(machine: ManagedProcess, bytes: number | 'unlimited'): Promise<void> {
  // The soft limit alone: it can be raised again by anybody.
  await promisify(execFile)('prlimit', ['--pid', String(machine.pid), `--fsize=${bytes}:`])
}

async function largestBytes(data: string): Promise<number> {
  const files = await readdir(data)
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(data, file))).size))
  return Math.max(...sizes)
}

const Fitted = codec(Type.Object({ version: Type.Integer() }))
const Model = codec(Type.Object({ serving: Type.Union([Type.Integer(), Type.Null()]) }))
const fitMs = 30_000

/** Whether it was acknowledged. */
async function postFit(
  run: Run,
  model: string,
  acknowledged: Map<string, number>,
): Promise<boolean> {
  const { machine, violations, random } = run
  const level = Math.round(random() * 1_000)
  const response = await fetch(`${machine.url}/api/models/${model}/fit`, {
    method: 'POST',
    // What is accepted and cannot be stored waits for room: nobody waits for it here.
    headers: { 'content-type': 'application/json', prefer: 'respond-async' },
    body: JSON.stringify({ data: temperatures.map((value) => value + level), spec: smallSpec }),
    signal: AbortSignal.timeout(fitMs),
  })
  const text = await response.text()
  const fitted = Fitted.decode(text)
  if (response.ok && fitted.ok) {
    acknowledged.set(model, Math.max(fitted.value.version, acknowledged.get(model) ?? 0))
    return true
  }
  const isRefusal = response.status === 503 && response.headers.has('retry-after')
  if (!isRefusal) violations.push(`a fit was answered ${response.status} ${text.slice(0, 300)}`)
  return false
}

async function forecastOnAndOn({ machine, violations }: Run, over: AbortSignal): Promise<number> {
  let count = 0
  for (; !over.aborted; count++) {
    const model = models[count % models.length]
    // A level that nobody asked for before: no cache has the answer.
    const level = (50 + (count % 40_000) / 1_000).toFixed(3)
    const url = `${machine.url}/api/models/${model}/forecast/7?level=${level}`
    const response = await fetch(url, { signal: AbortSignal.timeout(fitMs) })
    const text = await response.text()
    if (!response.ok) violations.push(`a forecast: ${response.status} ${text.slice(0, 300)}`)
    await pause(forecastEveryMs, over)
  }
  return count
}

async function servingOf(machine: ManagedProcess, model: string): Promise<number> {
  const url = `${machine.url}/api/models/${model}`
  const response = await fetch(url, { signal: AbortSignal.timeout(fitMs) })
  const found = Model.decode(await response.text())
  return found.ok ? (found.value.serving ?? 0) : 0
}
