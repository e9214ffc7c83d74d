import { Worker } from 'node:worker_threads'

export type WorkerInput = {
  readonly seeds: readonly number[]
  /** How many seeds are through; and 1 behind it once the thread has begun with them. */
  readonly done: Int32Array<SharedArrayBuffer>
}

export type Watchdog = { readonly worker?: URL; readonly hangMs?: number }

export type WorkerReport = { readonly seed: number; readonly violations: readonly string[] }

/** A seed takes milliseconds; on a machine with much else to do, a second. */
const usualHangMs = 30_000
const ownWorker = new URL('./worker.ts', import.meta.url)
const startPatience = 8
/** Within the time after which a silent seed hangs. */
const looks = 20
/** Models are of a few kilobytes: what asks for more than this was believed a length. */
const heapMegabytesMax = 256

/**
 * Tries all seeds in a thread of their own, and survives what they do to it: a seed that hangs or
 * kills the thread is a violation, and the others go on without it.
 */
export async function trySeeds(
  seeds: readonly number[],
  signal: AbortSignal,
  { worker = ownWorker, hangMs = usualHangMs }: Watchdog = {},
): Promise<readonly string[]> {
  const violations: string[] = []
  for (let from = 0; from < seeds.length && !signal.aborted; ) {
    const { through, reports, ending } = await tryUntilEnd(seeds.slice(from), signal, {
      worker,
      hangMs,
    })
    for (const report of reports)
      violations.push(...report.violations.map((what) => `seed ${report.seed}: ${what}`))
    from += through
    if (ending === 'done') break
    violations.push(`seed ${seeds[from]}: ${ending}`)
    from += 1
  }
  return violations
}

async function tryUntilEnd(
  seeds: readonly number[],
  signal: AbortSignal,
  { worker: url, hangMs }: Required<Watchdog>,
) {
  const done = new Int32Array(new SharedArrayBuffer(8))
  const worker = new Worker(url, {
    workerData: { seeds, done } satisfies WorkerInput,
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytesMax },
    execArgv: [],
  })
  const reports: WorkerReport[] = []
  worker.on('message', (report: WorkerReport) => reports.push(report))
  let fault: string | undefined
  worker.on('error', (error) => {
    fault = `it killed its thread: ${error.stack ?? error.message}`
  })
  let before = -1
  let silent = 0
  const watchdog = setInterval(() => {
    silent = done[0] === before ? silent + 1 : 0
    before = done[0]!
    // To read all the code of a node may take longer, on a machine that has no time for it.
    const patience = done[1] === 0 ? looks * startPatience : looks
    if (silent < patience && !signal.aborted) return
    if (!signal.aborted) fault = `it hung for ${hangMs} ms`
    worker.terminate()
  }, hangMs / looks)
  await new Promise((resolve) => worker.once('exit', resolve))
  clearInterval(watchdog)
  const through = done[0]!
  const isThrough = through === seeds.length || signal.aborted
  return { through, reports, ending: isThrough ? ('done' as const) : (fault ?? 'it ended early') }
}
