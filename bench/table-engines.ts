import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startSpark } from '../deploy/local/spark.ts'
import { folderStage } from '../model-api/src/fitting/table/spark-place.ts'
import { systemClock } from '../shared/src/base/clock.ts'
import { runTable, type SparkRun } from '../tables/src/run/run-table.ts'
import { salesRecipe, writeSales } from './sales-file.ts'
import { median } from './statistics.ts'

/**
 * How many rows of one file DuckDB and Spark make series of in a second, in runs that take turns.
 * Spark is one that is started here, of two threads and 1 GB, or one that is named and sees this
 * machine's temporary folder. The first pair only warms up: Spark compiles what it runs.
 */
const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '64' },
    products: { type: 'string', default: '100' },
    pairs: { type: 'string', default: '3' },
    'memory-mb': { type: 'string', default: '1024' },
    threads: { type: 'string', default: '2' },
    spark: { type: 'string' },
  },
})
const engines = ['DuckDB', 'Spark'] as const

type Engine = (typeof engines)[number]
type Run = {
  readonly seconds: number
  /** Until all lines were read and handed over. */
  readonly readSeconds: number
  /** Of all shards. */
  readonly sha256: string
}

const folder = await mkdtemp(join(tmpdir(), 'almanac-bench-'))
const own = values.spark ? undefined : await startSpark({ dataDir: join(folder, 'spark') })
try {
  await compare(values.spark ?? own?.address ?? '')
} finally {
  await own?.stop()
  await rm(folder, { recursive: true, force: true })
}

async function compare(address: string): Promise<void> {
  const stage = join(folder, 'stage')
  await mkdir(stage)
  const spark: SparkRun = { address, overBytes: 0, ...folderStage(stage, systemClock) }
  const file = join(folder, 'sales.csv')
  const bytes = Number(values.megabytes) * 1_048_576
  const { rows } = await writeSales(file, { bytes, products: Number(values.products) })
  const { size } = await stat(file)
  console.log(`${(size / 1e6).toFixed(0)} MB, ${rows} rows; ${availableParallelism()} cores`)
  const runs: Record<Engine, Run[]> = { DuckDB: [], Spark: [] }
  const both = async (isFirst: boolean, order: readonly Engine[]) => {
    for (const engine of order) {
      const run = await once(file, engine === 'Spark' ? spark : undefined)
      const read = `${run.readSeconds.toFixed(1)} s to read`
      const what = isFirst ? ' (to warm up)' : ''
      console.log(`  ${engine}${what}: ${run.seconds.toFixed(1)} s, of which ${read}`)
      if (!isFirst) runs[engine].push(run)
    }
  }
  await both(true, engines)
  for (let pair = 0; pair < Number(values.pairs); pair++)
    await both(false, pair % 2 === 0 ? engines : engines.toReversed())
  const made = new Set(engines.flatMap((engine) => runs[engine].map(({ sha256 }) => sha256)))
  if (made.size !== 1) throw new Error('The shards of the two are not the same.')
  for (const engine of engines) {
    const seconds = median(runs[engine].map((run) => run.seconds))
    console.log(`${engine}: ${Math.round(rows / seconds)} rows/s, ${seconds.toFixed(1)} s (median)`)
  }
  const times = runs.Spark.map(({ seconds }, i) => seconds / (runs.DuckDB[i]?.seconds ?? 0))
  console.log(`Spark takes ${median(times).toFixed(1)} times as long (median of pairs)`)
  console.log('Shards are the same to the byte.')
}

async function once(file: string, spark: SparkRun | undefined): Promise<Run> {
  const sha = createHash('sha256')
  const began = performance.now()
  const seconds = () => (performance.now() - began) / 1_000
  let readSeconds = 0
  const result = await runTable(
    {
      ...{ file, recipe: salesRecipe(), rejectsFile: join(folder, 'rejects.csv') },
      ...{ scratch: folder, memoryMb: Number(values['memory-mb']) },
      threads: Number(values.threads),
      ...(spark ? { spark } : {}),
      signal: AbortSignal.timeout(1_200_000),
    },
    {
      shard: async ({ bytes }) => {
        sha.update(bytes)
      },
      progress: ({ phase }) => {
        if (phase === 'group') readSeconds = seconds()
      },
    },
  )
  if (result.kind !== 'done') throw new Error(JSON.stringify(result))
  return { seconds: seconds(), readSeconds, sha256: sha.digest('hex') }
}
