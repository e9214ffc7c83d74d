import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runTable } from '../tables/src/run/run-table.ts'
import { type SalesFile, salesRecipe, writeSales } from './sales-file.ts'

/**
 * How fast a large CSV becomes shards, and how much memory both processes take at most. In the
 * middle of the file is a line with a quote that is never closed: it must be the only one rejected.
 */
const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '2048' },
    products: { type: 'string', default: '1000' },
    'memory-mb': { type: 'string', default: '1024' },
    threads: { type: 'string', default: '2' },
  },
})
const bytes = Number(values.megabytes) * 1_048_576

const folder = await mkdtemp(join(tmpdir(), 'almanac-bench-'))
try {
  const file = join(folder, 'sales.csv')
  const written = await writeSales(file, { bytes, products: Number(values.products) })
  await measure(file, written)
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function measure(file: string, { rows, bad }: SalesFile): Promise<void> {
  const peaks: Peaks = { parent: 0, diskMb: 0, child: new Map() }
  let phase = 'read'
  const watch = setInterval(() => look(peaks, phase), 250)
  const began = performance.now()
  const phases = new Map<string, number>()
  let shards = 0
  const rejectsFile = join(folder, 'rejects.csv')
  const result = await runTable(
    {
      file,
      recipe: salesRecipe(),
      rejectsFile,
      scratch: folder,
      memoryMb: Number(values['memory-mb']),
      threads: Number(values.threads),
      signal: AbortSignal.timeout(3_600_000),
    },
    {
      shard: async () => {
        shards += 1
      },
      progress: (told) => {
        phase = told.phase
        phases.set(phase, (performance.now() - began) / 1_000)
      },
    },
  )
  clearInterval(watch)
  const seconds = (performance.now() - began) / 1_000
  if (result.kind !== 'done') throw new Error(JSON.stringify(result))
  const { summary } = result
  const rejected = (await readFile(rejectsFile, 'utf8')).match(/^.*,read,.*$/gm) ?? []
  const { size } = await stat(file)
  console.log(`${(size / 1e6).toFixed(0)} MB, ${rows} rows, ${summary.series} series`)
  console.log(`${seconds.toFixed(1)} s, ${Math.round(rows / seconds)} rows/s, ${shards} shards`)
  for (const [name, at] of phases)
    console.log(`  ${name}: last heard of at ${at.toFixed(1)} s, child ${peaks.child.get(name)} MB`)
  console.log(`peak RSS of the parent: ${peaks.parent} MB`)
  console.log(`peak of its folder: ${peaks.diskMb} MB`)
  console.log(`rejected (wanted line ${bad}): ${rejected.join(' | ')}`)
}

type Peaks = { parent: number; diskMb: number; readonly child: Map<string, number> }

async function look(peaks: Peaks, phase: string): Promise<void> {
  const all = await Promise.all((await childrenOf(process.pid)).map(rssMb))
  peaks.child.set(phase, Math.max(peaks.child.get(phase) ?? 0, ...all))
  peaks.parent = Math.max(peaks.parent, await rssMb(process.pid))
  const inside = await readdir(folder, { recursive: true, withFileTypes: true })
  let bytes = 0
  for (const entry of inside) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile() || !path.includes('/table-') || !existsSync(path)) continue
    bytes += await stat(path).then(
      ({ size }) => size,
      () => 0,
    )
  }
  peaks.diskMb = Math.max(peaks.diskMb, Math.round(bytes / 1e6))
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.split(' ').filter(Boolean).map(Number)
}

async function rssMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_000)
}
