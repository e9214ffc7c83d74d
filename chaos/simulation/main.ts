import './world/globals.ts'
import { parseArgs } from 'node:util'
import { runCrew, shrinkSeed } from './crew.ts'
import { mutants } from './mutants.ts'
import { keptOf } from './schedule/shrink.ts'
import type { Failure, Tally } from './tally.ts'
import { runSeed } from './work.ts'

const usage = `Usage: npm run sim -- [--seeds N] [--from S] [--threads T] [--mutant NAME]
       npm run sim -- --seed S [--keep PARTS] [--mutant NAME]
  Runs the schedules of N seeds from S on; or one, or a part of one, with its whole trace.
  Mutants: ${Object.keys(mutants).join(', ')}`

const options = {
  seeds: { type: 'string', default: '10000' },
  from: { type: 'string', default: '1' },
  threads: { type: 'string' },
  seed: { type: 'string' },
  keep: { type: 'string' },
  mutant: { type: 'string' },
} as const

const failuresShown = 3
const progressMs = 15_000

process.on('unhandledRejection', (reason) => {
  console.error(reason)
  process.exitCode = 1
})
// Not from within a promise's callback, as which a module is evaluated.
setTimeout(() => {
  main(process.argv.slice(2)).then((code) => {
    process.exitCode = code
  })
}, 0)

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options })
  const numbers = [values.seeds, values.from, values.threads ?? '1', values.seed ?? '1'].map(Number)
  const isUnknown = values.mutant !== undefined && !(values.mutant in mutants)
  if (!numbers.every(Number.isSafeInteger) || isUnknown) {
    console.error(usage)
    return 2
  }
  if (values.seed !== undefined) return replay(Number(values.seed), values.keep, values.mutant)
  const threads = values.threads === undefined ? {} : { threads: Number(values.threads) }
  return await many(Number(values.from), Number(values.seeds), values.mutant, threads)
}

function replay(seed: number, keep: string | undefined, mutant: string | undefined): number {
  const kept = keep === undefined ? undefined : keptOf(keep)
  const { violations } = runSeed(seed, kept, mutant, (line) => console.log(line))
  for (const violation of violations) console.log(`VIOLATION ${violation}`)
  console.log(`seed ${seed}: ${violations.length} violations`)
  return violations.length > 0 ? 1 : 0
}

async function many(
  from: number,
  count: number,
  mutant: string | undefined,
  threads: { threads?: number },
): Promise<number> {
  const startedMs = performance.now()
  const seeds = Array.from({ length: count }, (_, i) => from + i)
  const { signal } = new AbortController()
  let toldMs = startedMs
  const onProgress = ({ schedules, failures }: Tally) => {
    if (performance.now() - toldMs < progressMs) return
    toldMs = performance.now()
    const failing = failures.map(({ seed }) => seed).join(', ')
    console.log(`${schedules} of ${count} schedules; seeds with violations: ${failing || 'none'}`)
  }
  const tally = await runCrew({
    work: seeds,
    asked: (own) => ({ kind: 'run', seeds: own, mutant }),
    signal,
    onProgress,
    ...threads,
  })
  const seconds = (performance.now() - startedMs) / 1_000
  const { schedules, events, forecasts, fits, virtualMs, convergedMsMax, failures } = tally
  const rate = (schedules / seconds).toFixed(0)
  const hours = (virtualMs / 3_600_000).toFixed(1)
  console.log(
    `${schedules} schedules in ${seconds.toFixed(1)} s, ${rate} a second: ${events} events, ` +
      `${forecasts} forecasts, ${fits} fits in ${hours} virtual hours; ` +
      `well again after ${convergedMsMax} ms at most`,
  )
  for (const failure of failures.slice(0, failuresShown)) await explain(failure, mutant)
  console.log(`${failures.length} schedules with violations`)
  return failures.length > 0 ? 1 : 0
}

async function explain({ seed, violations }: Failure, mutant: string | undefined): Promise<void> {
  console.log(`seed ${seed}:`)
  for (const violation of violations.slice(0, 5)) console.log(`  ${violation}`)
  const { kept, lines, violations: left } = await shrinkSeed(seed, mutant)
  console.log('  the least of it that fails:')
  for (const line of lines) console.log(`    ${line}`)
  for (const violation of left.slice(0, 3)) console.log(`  ${violation}`)
  const planted = mutant === undefined ? '' : ` --mutant ${mutant}`
  console.log(`  npm run sim -- --seed ${seed} --keep ${kept}${planted}`)
}
