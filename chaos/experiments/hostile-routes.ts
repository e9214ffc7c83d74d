import type { Experiment, ExperimentContext, ExperimentResult } from '../experiment.ts'
import { type Bombardment, createBombardment, type Tally } from '../hostile/bombardment.ts'
import { askJson, fitSmall, forecastsOf } from '../hostile/client.ts'
import { drawInternalRequest } from '../hostile/draw-internal.ts'
import { drawRequest } from '../hostile/draw-request.ts'
import { createHttpClient } from '../hostile/http-client.ts'
import { judgeByDocument, judgeInternal } from '../hostile/judge.ts'
import { type Machine, startMachine, type Usage } from '../hostile/machine.ts'
import { readOperations } from '../hostile/openapi.ts'

/** Requests under one seed: so many to the broker, so many to a node. */
const publicRequests = 850
const internalRequests = 150
const atOnce = 32

/** Between the first quarter of the seeds and the end: what is held, and what is resident. */
const heapGrowthMbMax = 16
const residentGrowthMbMax = 160
const openFilesMax = 20

const keptModels = ['kept-1', 'kept-2']
const models = ['m1', 'm2', 'm3', 'm4', 'default']

export const hostileRoutes: Experiment = {
  name: 'hostile-routes',
  promise: 'no request, however it is spoiled, ends in a 500, a hang, growth or harm to others',
  repetitions: { landing: 20, long: 1_000 },
  timeoutMs: (repetitions) => 90_000 + repetitions * 10_000,
  run,
}

async function run(context: ExperimentContext): Promise<ExperimentResult> {
  const machine = await startMachine()
  try {
    return await bombard(context, machine)
  } finally {
    await machine.close()
  }
}

async function bombard(context: ExperimentContext, machine: Machine): Promise<ExperimentResult> {
  const { seeds, log, signal } = context
  const jobs = await Promise.all(keptModels.map((model) => fitSmall(machine.url, model)))
  const before = await Promise.all(keptModels.map((model) => forecastsOf(machine.url, model)))
  const { broker, nodes } = await targets(machine, jobs)
  const startedMs = performance.now()
  let warm: Warm | undefined
  for (const [at, seed] of seeds.entries()) {
    if (signal.aborted || !machine.running()) break
    await Promise.all([
      broker.run(seed, publicRequests, atOnce),
      nodes[at % nodes.length]!.run(seed, internalRequests, 4),
    ])
    if (at === Math.floor(seeds.length / 4)) warm = await warmth(machine)
    if (at % 50 === 49) log(`${at + 1} seeds, ${JSON.stringify(await machine.usage())}`)
  }
  const seconds = (performance.now() - startedMs) / 1_000
  const all = [broker, ...nodes]
  for (const { close } of all) close()
  const violations = all.flatMap((part) => part.violations)
  // Whoever ends us may have ended what we started.
  if (signal.aborted) return { violations, figures: figuresOf(all, seconds) }
  if (!machine.running()) violations.push('the process ended')
  else violations.push(...(await harm(machine, before)))
  const end = machine.running() ? await warmth(machine) : undefined
  if (warm && end) violations.push(...growth(warm, end))
  const figures = { ...figuresOf(all, seconds), ...named('warm', warm), ...named('end', end) }
  return { violations, figures }
}

async function targets(machine: Machine, jobs: readonly string[]) {
  const { host, port, token, clusterId } = machine
  const client = createHttpClient(host, port)
  const operations = await readOperations(client)
  client.close()
  const world = { operations, models, keptModels, jobs }
  const broker = createBombardment({
    host,
    port,
    draw: (chance) => drawRequest(chance, world),
    judge: judgeByDocument(operations),
  })
  const { body } = await askJson(`${machine.url}/api/nodes`)
  const nodes = (body as { nodes: { port: number; instance: string }[] }).nodes.map((node) => {
    const known = { instance: node.instance, clusterId, token, models: [...models, ...keptModels] }
    return createBombardment({
      host,
      port: node.port,
      draw: (chance) => drawInternalRequest(chance, known),
      judge: judgeInternal,
    })
  })
  return { broker, nodes }
}

/** A plain client finds all as it was. */
async function harm(
  machine: Machine,
  before: readonly (readonly string[])[],
): Promise<readonly string[]> {
  const violations: string[] = []
  const after = await Promise.all(keptModels.map((model) => forecastsOf(machine.url, model)))
  for (const [at, answers] of after.entries())
    for (const [n, text] of answers.entries())
      if (text !== before[at]?.[n])
        violations.push(`${keptModels[at]} answers ${text.slice(0, 100)}, and not as before`)
  await fitSmall(machine.url, 'afterwards').catch((error: Error) => violations.push(error.message))
  const answers = await forecastsOf(machine.url, 'afterwards')
  const bad = answers.filter((text) => !text.startsWith('200'))
  violations.push(...bad.map((text) => `afterwards: ${text.slice(0, 200)}`))
  const errors = await machine.errors()
  violations.push(...errors.slice(0, 5).map((line) => `logged: ${line.slice(0, 500)}`))
  return violations
}

type Warm = Usage & { readonly heapMb: number }

async function warmth(machine: Machine): Promise<Warm> {
  const heapMb = await machine.heapMb()
  return { heapMb, ...(await machine.usage()) }
}

function growth(warm: Warm, end: Warm): readonly string[] {
  const heapMb = end.heapMb - warm.heapMb
  const residentMb = end.residentMb - warm.residentMb
  const openFiles = end.openFiles - warm.openFiles
  return [
    ...(heapMb > heapGrowthMbMax ? [`${heapMb} MB more are held on the heap`] : []),
    ...(residentMb > residentGrowthMbMax ? [`${residentMb} MB more are resident`] : []),
    ...(openFiles > openFilesMax ? [`${openFiles} more files are open`] : []),
  ]
}

function named(when: string, usage: Warm | undefined): Record<string, number> {
  return Object.fromEntries(Object.entries(usage ?? {}).map(([name, n]) => [`${when} ${name}`, n]))
}

function figuresOf(all: readonly Bombardment[], seconds: number) {
  const requests = all.reduce((sum, { tally }) => sum + tally.requests, 0)
  const slowestMs = Math.round(Math.max(...all.map(({ tally }) => tally.slowestMs)))
  const perSecond = Math.round(requests / seconds)
  return { requests, perSecond, slowestMs, statuses: statusesOf(all.map(({ tally }) => tally)) }
}

function statusesOf(tallies: readonly Tally[]): string {
  const sums = new Map<string, number>()
  for (const { statuses } of tallies)
    for (const [status, n] of statuses) sums.set(status, (sums.get(status) ?? 0) + n)
  return [...sums]
    .sort()
    .map(([status, n]) => `${status}: ${n}`)
    .join(', ')
}
