import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort, ManagedProcess } from '../../deploy/local/process.ts'
import type { ExperimentContext, ExperimentResult } from '../experiment.ts'
import { runCycles } from './cycles.ts'
import type { MachineOrder } from './machine.ts'
import { type Sample, verdictOf } from './verdict.ts'
import { machineVitals, processVitals, storeRows } from './vitals.ts'

export type SoakOptions = {
  readonly perSecond: number
  readonly sampleEveryMs: number
}

const soakModels = 4

/**
 * Ages and caches with which a soak of minutes reaches the steady state that the defaults reach in
 * days. What is kept by number is kept as always.
 */
const bounds = {
  garbageAgeMs: 60_000,
  garbageEveryMs: 30_000,
  finishedJobMs: 120_000,
  responseCacheBytes: 1_048_576,
} as const
const answerCacheBytes = 524_288

/** Cycles on the one-process default, watched from outside and from inside. */
export async function soak(
  { seeds, log, signal }: ExperimentContext,
  { perSecond, sampleEveryMs }: SoakOptions,
): Promise<ExperimentResult> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-soak-'))
  const data = join(folder, 'data')
  const vitalsPort = await freePort()
  const machine = await machineIn(folder, { data, vitalsPort, nodes: 2, bounds, answerCacheBytes })
  const faults: string[] = []
  const samples: Sample[] = []
  let cycles = 0
  try {
    await machine.start()
    const startedMs = performance.now()
    const sample = async () => {
      const [inside, outside] = [await machineVitals(vitalsPort), await processVitals(machine.pid!)]
      const files = await Promise.all(
        ['coordinator.sqlite', 'store.sqlite'].map((name) => stat(join(data, name))),
      )
      const rows = storeRows(join(data, 'store.sqlite'))
      const atSeconds = (performance.now() - startedMs) / 1_000
      const fileMb = files.map(({ size }) => size / 1_048_576)
      samples.push({ atSeconds, cycles, inside, outside, rows, fileMb })
      log(lineOf(samples.at(-1)!))
    }
    const over = new AbortController()
    const watching = watch(sample, sampleEveryMs, AbortSignal.any([signal, over.signal]))
    await runCycles({
      url: machine.url,
      seeds,
      perSecond,
      models: soakModels,
      signal,
      onCycle: (done) => {
        cycles = done
      },
      onFault: (what) => faults.push(what),
    })
    over.abort()
    await watching
  } finally {
    await machine.stop()
    await rm(folder, { recursive: true, force: true })
  }
  const { violations, figures } = verdictOf(samples)
  return { violations: [...faults, ...violations], figures }
}

/** The process of `machine.ts`, not started yet. */
export async function machineIn(
  folder: string,
  order: Omit<MachineOrder, 'port'>,
): Promise<ManagedProcess> {
  const port = await freePort()
  return new ManagedProcess({
    name: 'machine',
    script: 'chaos/soak/machine.ts',
    args: [JSON.stringify({ ...order, port } satisfies MachineOrder)],
    env: {},
    url: `http://127.0.0.1:${port}`,
    logDir: folder,
    readyPath: '/readyz',
    readyMs: 300_000,
  })
}

async function watch(sample: () => Promise<void>, everyMs: number, signal: AbortSignal) {
  while (!signal.aborted) {
    await sample()
    await delay(everyMs, undefined, { signal }).catch(() => {})
  }
}

function lineOf({ atSeconds, cycles, inside, outside, rows }: Sample): string {
  const mb = (bytes: number) => (bytes / 1_048_576).toFixed(1)
  return [
    `${atSeconds.toFixed(0)} s, ${cycles} cycles`,
    `RSS ${outside.rssMb.toFixed(1)} MB, heap ${mb(inside.heapBytes)} MB`,
    `external ${mb(inside.externalBytes)} MB, ${inside.handles} handles`,
    `${outside.descriptors} descriptors, ${outside.threads} threads`,
    `keys ${JSON.stringify(inside.keys)}, rows ${JSON.stringify(rows)}`,
  ].join('; ')
}
