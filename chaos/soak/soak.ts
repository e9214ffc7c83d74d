import { setTimeout as delay } from 'node:timers/promises'
import type { ExperimentContext, ExperimentResult } from '../experiment.ts'
import { runCycles } from './cycles.ts'
import type { SoakSite } from './site.ts'
import { type Sample, verdictOf } from './verdict.ts'
import { machineVitals, processVitals } from './vitals.ts'

export type SoakOptions = {
  readonly perSecond: number
  readonly sampleEveryMs: number
}

const soakModels = 4
const refusedShareMax = 0.01

/** Cycles on what `open` starts, watched from outside and from inside. */
export async function soak(
  { seeds, log, signal }: ExperimentContext,
  open: () => Promise<SoakSite>,
  { perSecond, sampleEveryMs }: SoakOptions,
): Promise<ExperimentResult> {
  const site = await open()
  const faults: string[] = []
  const samples: Sample[] = []
  let cycles = 0
  let refusals = 0
  try {
    const startedMs = performance.now()
    const sample = async () => {
      const parts: Sample['parts'] = Object.fromEntries(
        await Promise.all(
          site.parts().map(async ({ name, pid, vitalsPort }) => {
            const inside = await machineVitals(vitalsPort)
            return [name, { inside, outside: await processVitals(pid) }]
          }),
        ),
      )
      const [keys, rows, fileMb] = await Promise.all([site.keys(), site.rows(), site.fileMb()])
      const atSeconds = (performance.now() - startedMs) / 1_000
      samples.push({ atSeconds, cycles, parts, keys, rows, fileMb })
      log(lineOf(samples.at(-1)!))
    }
    const over = new AbortController()
    const watching = watch(sample, sampleEveryMs, AbortSignal.any([signal, over.signal]))
    // Whoever waits for it hears of a failure later.
    watching.catch(() => {})
    await runCycles({
      url: site.url,
      seeds,
      perSecond,
      models: soakModels,
      signal,
      onCycle: (done) => {
        cycles = done
      },
      onFault: (what) => faults.push(what),
      onRefusal: () => {
        refusals += 1
      },
    })
    over.abort()
    await watching
  } finally {
    await site.close()
  }
  const { violations, figures } = verdictOf(samples)
  if (refusals > cycles * refusedShareMax) faults.push(`${refusals} fits were refused for a moment`)
  return { violations: [...faults, ...violations], figures: { ...figures, refusals } }
}

async function watch(sample: () => Promise<void>, everyMs: number, signal: AbortSignal) {
  while (!signal.aborted) {
    await sample()
    await delay(everyMs, undefined, { signal }).catch(() => {})
  }
}

function lineOf({ atSeconds, cycles, parts, keys, rows }: Sample): string {
  const mb = (bytes: number) => (bytes / 1_048_576).toFixed(1)
  const shown = Object.entries(parts).map(([name, { inside, outside }]) =>
    [
      `${name} RSS ${outside.rssMb.toFixed(1)} MB`,
      `heap ${mb(inside.heapBytes)}`,
      `external ${mb(inside.externalBytes)}`,
      `${inside.handles} handles`,
      `${outside.descriptors} descriptors`,
      `${outside.threads} threads`,
    ].join(', '),
  )
  return [
    `${atSeconds.toFixed(0)} s, ${cycles} cycles`,
    ...shown,
    `keys ${JSON.stringify(keys)}, rows ${JSON.stringify(rows)}`,
  ].join('; ')
}
