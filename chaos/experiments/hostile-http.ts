import type { Experiment, ExperimentContext, ExperimentResult } from '../experiment.ts'
import type { Attack } from '../hostile/attacks/attack.ts'
import { attacks } from '../hostile/attacks/list.ts'
import { fitSmall, forecastsOf } from '../hostile/client.ts'
import { type Machine, startMachine, type Usage } from '../hostile/machine.ts'
import { type NormalReport, quantileMs, startNormalClient } from '../hostile/normal-client.ts'

/** Of a client that means no harm, while all of this goes on, on a machine of two cores. */
const p99MsMax = 1_000

/** Bodies that arrive, up to their bound, twice; ten thousand connections; some garbage. */
const peakMbMax = 700
const openFilesLeftMax = 50

export const hostileHttp: Experiment = {
  name: 'hostile-http',
  promise: 'clients that speak HTTP badly, slowly or without end are let go, and harm nobody else',
  repetitions: { landing: 1, long: 5 },
  timeoutMs: (repetitions) => 30_000 + repetitions * 150_000,
  run,
}

async function run(context: ExperimentContext): Promise<ExperimentResult> {
  const violations: string[] = []
  let figures: ExperimentResult['figures'] = {}
  const isLong = context.seeds.length > 1
  for (const seed of context.seeds) {
    if (context.signal.aborted) break
    const machine = await startMachine()
    try {
      const result = await round(context, machine, isLong)
      violations.push(...result.violations.map((line) => `round ${seed}: ${line}`))
      figures = result.figures
    } finally {
      await machine.close()
    }
  }
  return { violations, figures }
}

async function round(context: ExperimentContext, machine: Machine, isLong: boolean) {
  const { host, port, url } = machine
  for (const model of ['kept-1', 'kept-2', 'm1']) await fitSmall(url, model)
  const before = await forecastsOf(url, 'kept-1')
  const atRest = await machine.usage()
  const normal = startNormalClient(host, port)
  const peak = watchPeak(machine)
  const wanted = attacks.filter((attack) => isLong || !attack.isLong)
  const slow = wanted.filter(({ isSlow }) => isSlow)
  const others = wanted.filter(({ isSlow }) => !isSlow)
  const beside = Promise.all(slow.map((attack) => faultsOf(attack, machine, context)))
  const faults: (readonly string[])[] = []
  for (const attack of others) faults.push(await faultsOf(attack, machine, context))
  faults.push(...(await beside))
  const report = await normal.end()
  const peakMb = peak.end()
  const afterwards = machine.running() ? await faultsAfter(machine, before) : ['the process ended']
  const rest = machine.running() ? await settled(machine, atRest) : atRest
  const violations = [
    ...faults.flat(),
    ...faultsOfReport(report),
    ...afterwards,
    ...(peakMb - atRest.residentMb > peakMbMax ? [`memory went up to ${peakMb} MB`] : []),
    ...(rest.openFiles - atRest.openFiles > openFilesLeftMax
      ? [`${rest.openFiles - atRest.openFiles} files are left open`]
      : []),
  ]
  const figures = {
    normalRequests: report.asked,
    normalFailures: report.failures.length,
    normalP50Ms: quantileMs(report.times, 0.5),
    normalP99Ms: quantileMs(report.times, 0.99),
    normalSlowestMs: quantileMs(report.times, 1),
    restMb: atRest.residentMb,
    peakMb,
    afterMb: rest.residentMb,
  }
  return { violations, figures }
}

async function faultsOf(
  attack: Attack,
  machine: Machine,
  { log, signal }: ExperimentContext,
): Promise<readonly string[]> {
  const startedMs = performance.now()
  const faults = await attack.run(machine, signal)
  const seconds = Math.round((performance.now() - startedMs) / 1_000)
  log(`${attack.name}: ${faults.length === 0 ? 'held off' : 'not held off'} in ${seconds} s`)
  return faults.map((fault) => `${attack.name}: ${fault}`)
}

function faultsOfReport({ asked, failures, times }: NormalReport): readonly string[] {
  const p99Ms = quantileMs(times, 0.99)
  return [
    ...(asked < 1_000 ? [`the client that means no harm has asked only ${asked} times`] : []),
    ...failures.slice(0, 5).map((failure) => `a client that means no harm failed: ${failure}`),
    ...(p99Ms > p99MsMax ? [`p99 of a client that means no harm is ${p99Ms} ms`] : []),
  ]
}

async function faultsAfter(
  machine: Machine,
  before: readonly string[],
): Promise<readonly string[]> {
  const after = await forecastsOf(machine.url, 'kept-1')
  const changed = after.filter((text, i) => text !== before[i])
  const fit = await fitSmall(machine.url, 'afterwards').then(
    () => [],
    (error: Error) => [error.message],
  )
  const errors = await machine.errors()
  return [
    ...changed.map((text) => `kept-1 does not answer as before: ${text.slice(0, 100)}`),
    ...fit,
    ...errors.slice(0, 3).map((line) => `logged: ${line.slice(0, 500)}`),
  ]
}

/** What is closed on one side is soon closed on the other. */
async function settled(machine: Machine, atRest: Usage): Promise<Usage> {
  const untilMs = performance.now() + 5_000
  let usage = await machine.usage()
  while (usage.openFiles - atRest.openFiles > openFilesLeftMax && performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, 200))
    usage = await machine.usage()
  }
  return usage
}

function watchPeak(machine: Machine) {
  let peakMb = 0
  const timer = setInterval(() => {
    machine.usage().then(
      ({ residentMb }) => {
        peakMb = Math.max(peakMb, residentMb)
      },
      () => {},
    )
  }, 250)
  return {
    end: () => {
      clearInterval(timer)
      return peakMb
    },
  }
}
