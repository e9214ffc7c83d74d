import { randomInt } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { inspect, parseArgs } from 'node:util'
import type { Experiment, ExperimentResult, Scale } from './experiment.ts'
import { experiments } from './experiments/list.ts'
import { closeSharedTopology } from './experiments/shared-topology.ts'
import { seedsOf } from './seeds.ts'

type Outcome = ExperimentResult & {
  readonly name: string
  readonly promise: string
  readonly repetitions: number
  readonly seconds: number
}

type Plan = {
  readonly scale: Scale
  readonly chosen: readonly Experiment[]
  readonly seed: number
  readonly only: number | undefined
  /** Every so many-th repetition, from which one on. */
  readonly share: { readonly from: number; readonly every: number }
  readonly out: string | undefined
}

const usage = `Usage: node chaos/main.ts [--scale landing|long] [--only NAME,…] [--seed N | --part I/N] [--out FILE]
  --seed N    run every experiment once, with this seed: as printed with a violation
  --part I/N  run the I-th of N shares of every experiment's repetitions`

/** For ending the processes that an experiment has started. */
const graceMs = 30_000
const violationsShownMax = 20

// What an experiment that was given up has left open must not keep the process.
process.exit(await main(process.argv.slice(2)))

async function main(args: readonly string[]): Promise<number> {
  const plan = planOf(args)
  if (typeof plan === 'string') {
    console.error(`${plan}\n${usage}`)
    return 2
  }
  const interrupted = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => interrupted.abort(new Error(`${name} came`)))
  console.log(`fresh seed ${plan.seed}`)
  const outcomes: Outcome[] = []
  for (const experiment of plan.chosen) {
    const repetitions = experiment.repetitions[plan.scale]
    const all = seedsOf(experiment.name, repetitions, plan.seed)
    const { from, every } = plan.share
    const own = all.filter((_, i) => i % every === from)
    const seeds = plan.only === undefined ? own : all.slice(0, 1).fill(plan.only)
    if (seeds.length === 0 || interrupted.signal.aborted) continue
    outcomes.push(await outcomeOf(experiment, seeds, interrupted.signal))
    report(outcomes.at(-1)!)
  }
  await closeSharedTopology()
  const { scale, seed } = plan
  if (plan.out) await writeFile(plan.out, `${JSON.stringify({ scale, seed, outcomes }, null, 2)}\n`)
  const broken = outcomes.filter(({ violations }) => violations.length > 0)
  console.log(`${outcomes.length} experiments, ${broken.length} broken`)
  return broken.length > 0 || interrupted.signal.aborted ? 1 : 0
}

function planOf(args: readonly string[]): Plan | string {
  const options = {
    scale: { type: 'string', default: 'landing' },
    only: { type: 'string' },
    seed: { type: 'string' },
    part: { type: 'string', default: '1/1' },
    out: { type: 'string' },
  } as const
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values']
  try {
    values = parseArgs({ args: [...args], options }).values
  } catch (error) {
    return (error as Error).message
  }
  const { scale, out } = values
  if (scale !== 'landing' && scale !== 'long') return `--scale ${scale}: landing or long`
  const names = values.only?.split(',') ?? experiments.map(({ name }) => name)
  const unknown = names.find((name) => !experiments.some((known) => known.name === name))
  const known = experiments.map(({ name }) => name).join(', ')
  if (unknown !== undefined) return `--only ${unknown}: there are ${known}`
  const only = values.seed === undefined ? undefined : Number(values.seed)
  if (only !== undefined && !Number.isSafeInteger(only)) return `--seed ${values.seed}: an integer`
  const [part = 0, parts = 0] = values.part.split('/').map(Number)
  const isPart = Number.isInteger(part) && Number.isInteger(parts) && part >= 1 && part <= parts
  if (!isPart) return `--part ${values.part}: as in 2/3, the second third`
  const share = { from: part - 1, every: parts }
  const chosen = experiments.filter(({ name }) => names.includes(name))
  return { scale, chosen, seed: only ?? randomInt(2 ** 31), only, share, out }
}

async function outcomeOf(
  experiment: Experiment,
  seeds: readonly number[],
  interrupted: AbortSignal,
): Promise<Outcome> {
  const { name, promise } = experiment
  const timeoutMs = experiment.timeoutMs(seeds.length)
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(timeoutMs)])
  const startedMs = performance.now()
  console.log(`\n== ${name} × ${seeds.length}: ${promise}`)
  const log = (line: string) => console.log(`   ${line}`)
  const ended = new Promise<ExperimentResult>((resolve) => {
    // An experiment that heeds its signal ends well before this.
    const giveUp = () => resolve({ violations: [`${name} did not end in time`], figures: {} })
    signal.addEventListener('abort', () => setTimeout(giveUp, graceMs).unref(), { once: true })
  })
  const run = experiment.run({ seeds, log, signal }).catch((error: Error) => ({
    violations: [`${name} broke off: ${inspect(error)}`],
    figures: {},
  }))
  const result = await Promise.race([run, ended])
  const late = signal.aborted && !interrupted.aborted ? [`${name} took over ${timeoutMs} ms`] : []
  const seconds = Math.round((performance.now() - startedMs) / 100) / 10
  const violations = [...result.violations, ...late]
  return { name, promise, repetitions: seeds.length, seconds, ...result, violations }
}

function report({ name, seconds, violations, figures }: Outcome): void {
  const shown = Object.entries(figures).map(([figure, value]) => `${figure} ${value}`)
  console.log(`   ${violations.length === 0 ? 'holds' : 'BROKEN'} after ${seconds} s`)
  for (const line of shown) console.log(`   ${line}`)
  for (const violation of violations.slice(0, violationsShownMax))
    console.log(`   ${name}: ${violation}`)
  const more = violations.length - violationsShownMax
  if (more > 0) console.log(`   … and ${more} more`)
}
