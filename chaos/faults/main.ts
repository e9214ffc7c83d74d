import { randomInt } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { closeSharedTopology } from '../experiments/shared-topology.ts'
import { allFaults } from './catalogue.ts'
import { runMixed } from './mixed.ts'

const usage = `Faults of every kind on a seeded schedule, on a real cluster with users at work.

  npm run chaos -- [--seed N] [--minutes 10] [--faults NAME,…] [--at-once 3] [--keep]
                    [--out FILE]

The same seed and the same options plan the same faults. Data, logs and what users saw stay when a
promise was broken, or with --keep. Figures and violations go into the file, too.`

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const options = optionsOf(args)
  if (typeof options === 'string') {
    console.error(`${options}\n${usage}`)
    return 2
  }
  const { seed, minutes, faults, atOnceMax, keep, out } = options
  const interrupted = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => interrupted.abort(new Error(`${name} came`)))
  const startedMs = performance.now()
  const log = (line: string) => {
    console.log(`${((performance.now() - startedMs) / 1_000).toFixed(1).padStart(6)} s  ${line}`)
  }
  log(`seed ${seed}`)
  let mustKeep = true
  try {
    const context = { seeds: [seed], log, signal: interrupted.signal }
    const mixed = { name: 'chaos', minutes, faults, atOnceMax }
    const { violations, figures } = await runMixed(context, mixed)
    for (const [figure, value] of Object.entries(figures)) log(`${figure} ${value}`)
    for (const violation of violations) log(`VIOLATION ${violation}`)
    log(`${violations.length} violations; again with --seed ${seed} --minutes ${minutes}`)
    const result = { seed, minutes, faults: faults.map(({ name }) => name), violations, figures }
    if (out) await writeFile(out, `${JSON.stringify(result, null, 2)}\n`)
    mustKeep = violations.length > 0 || keep
    return violations.length > 0 || interrupted.signal.aborted ? 1 : 0
  } finally {
    await closeSharedTopology(mustKeep)
  }
}

function optionsOf(args: readonly string[]) {
  const known = {
    seed: { type: 'string' },
    minutes: { type: 'string', default: '10' },
    faults: { type: 'string' },
    'at-once': { type: 'string', default: '3' },
    keep: { type: 'boolean', default: false },
    out: { type: 'string' },
  } as const
  let values: ReturnType<typeof parseArgs<{ options: typeof known }>>['values']
  try {
    values = parseArgs({ args: [...args], options: known }).values
  } catch (error) {
    return (error as Error).message
  }
  const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed)
  const minutes = Number(values.minutes)
  const atOnceMax = Number(values['at-once'])
  if (!Number.isSafeInteger(seed)) return `--seed ${values.seed}: an integer`
  if (!(minutes > 0 && minutes <= 600)) return `--minutes ${values.minutes}: up to 600`
  if (!(atOnceMax >= 1)) return `--at-once ${values['at-once']}: 1 or more`
  const names = values.faults?.split(',') ?? allFaults.map(({ name }) => name)
  const unknown = names.find((name) => !allFaults.some((fault) => fault.name === name))
  const there = allFaults.map(({ name }) => name).join(', ')
  if (unknown !== undefined) return `--faults ${unknown}: there are ${there}`
  const faults = allFaults.filter(({ name }) => names.includes(name))
  return { seed, minutes, faults, atOnceMax, keep: values.keep, out: values.out }
}
