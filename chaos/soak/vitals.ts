import { readdir, readFile, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { request } from 'undici'

/** What a process says about itself, right after its garbage was collected. */
export type MachineVitals = {
  readonly rssBytes: number
  readonly heapBytes: number
  readonly externalBytes: number
  readonly arrayBuffers: number
  /** Timers, sockets and the like that keep the event loop alive. */
  readonly handles: number
}

/** What the system says about a process, without asking it. */
export type ProcessVitals = {
  readonly rssMb: number
  readonly peakRssMb: number
  readonly descriptors: number
  readonly threads: number
  /** Of all its threads, since it began. */
  readonly cpuMs: number
}

export async function machineVitals(port: number): Promise<MachineVitals> {
  return (await asked(`http://127.0.0.1:${port}/vitals`)) as MachineVitals
}

/** Keys in the coordinator of a machine, by kind. */
export async function machineKinds(port: number): Promise<Record<string, number>> {
  return (await asked(`http://127.0.0.1:${port}/kinds`)) as Record<string, number>
}

/** Keys in the coordinator of a machine that begin so. */
export async function machineKeys(port: number, prefix: string): Promise<number> {
  return (await asked(`http://127.0.0.1:${port}/keys${prefix}`)) as number
}

async function asked(url: string): Promise<unknown> {
  const { statusCode, body } = await request(url, { signal: AbortSignal.timeout(60_000) })
  const text = await body.text()
  if (statusCode !== 200) throw new Error(`${url}: ${text.slice(0, 500)}`)
  return JSON.parse(text)
}

export async function processVitals(pid: number): Promise<ProcessVitals> {
  const [status, stat, descriptors] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readdir(`/proc/${pid}/fd`),
  ])
  // After the name, which may hold anything: state is the third field, user time the fourteenth.
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1])
  return {
    rssMb: field('VmRSS') / 1_024,
    peakRssMb: field('VmHWM') / 1_024,
    descriptors: descriptors.length,
    threads: field('Threads'),
    cpuMs: (Number(user) + Number(system)) * tickMs,
  }
}

/** The unit of times under /proc, on every Linux of today. */
const tickMs = 10

/** Begins a new peak: what `peakRssMb` tells is from now on. */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5')
}

/** Rows of the embedded store by table, read beside the process that owns it. */
export function storeRows(path: string): Record<string, number> {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 2_000 })
  try {
    const count = (sql: string) => Number(database.prepare(sql).get()?.n)
    return {
      blobs: count('SELECT count(*) n FROM blobs'),
      chunks: count('SELECT count(*) n FROM chunks'),
      jobRecords: count("SELECT count(*) n FROM records WHERE collection = 'jobs'"),
      versionRecords: count("SELECT count(*) n FROM records WHERE collection = 'versions'"),
      logRecords: count("SELECT count(*) n FROM records WHERE collection = 'log'"),
    }
  } finally {
    database.close()
  }
}
