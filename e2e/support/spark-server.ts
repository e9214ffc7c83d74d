import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startSpark } from '../../deploy/local/spark.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** `host:port` of Spark Connect, where the suites are to run on it. */
    spark: string | undefined
  }
}

/** Where suites find Spark: the one that the environment names, or one of this machine. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.ALMANAC_TEST_SPARK
  if (given) {
    process.stdout.write(`Spark is at ${given}, as the environment says.\n`)
    project.provide('spark', given)
    return async () => {}
  }
  const folder = await mkdtemp(join(tmpdir(), 'almanac-spark-'))
  const spark = await startSpark({ dataDir: folder })
  process.stdout.write('Spark was started on this machine.\n')
  project.provide('spark', spark.address)
  return async () => {
    await spark.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
