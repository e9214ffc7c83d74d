import { hash } from 'node:crypto'
import { encodeShardIndex, type ShardRef, Unavailable } from '@almanac/shared'
import { untilAvailable } from '../../../model-api/src/base/patience.ts'
import type { TableWork } from '../../../model-api/src/fitting/table/prepare.ts'
import type { TableReader } from '../../../model-api/src/fitting/table/reader.ts'
import type { Process, World } from '../world/world.ts'
import { type FitCourse, shardsOf } from './fitter.ts'
import { regressionOf, tableOf } from './table-file.ts'

export type ReaderParts = {
  readonly world: World
  readonly process: Process
  readonly courseOf: (value: number) => FitCourse
  readonly areFilesAway: () => boolean
}

/**
 * Stands for the process that reads a table: takes virtual time, stores shards as they come, and
 * may end in the middle of them.
 */
export function createTableReader(parts: ReaderParts): TableReader {
  return {
    prepare: async (_context, work) => {
      const { value, shards } = tableOf(work.file)
      const data = shardsOf(value, shards)
      const refs: ShardRef[] = []
      const course = await read(parts, work, value, data.shards.length, async (place) => {
        const { first, series, bytes } = data.shards[place]!
        const blob = await work.store(bytes)
        const sha256 = hash('sha256', bytes, 'hex')
        refs.push({ first, blob, sha256, sizeBytes: bytes.byteLength, series })
      })
      if (course !== undefined) return course
      const { series, observations } = data
      return {
        kind: 'prepared',
        index: await work.store(encodeShardIndex({ format: 1, kind: 'data', shards: refs })),
        ...(await storeReport(work)),
        shards,
        summary: { ...summary, rows: observations, series, shards, observations },
      }
    },
    fit: async (_context, work) => {
      const { value } = tableOf(work.file)
      const course = await read(parts, work, value, 2, async () => {})
      if (course !== undefined) return course
      const fitted = { rows: 4, unusable: 0, categories: 0, errorOfFit: 0 }
      const model = regressionOf(value)
      return { kind: 'fitted', model, ...(await storeReport(work)), summary, fitted }
    },
  }
}

/** Part for part; returns how it ended, where it came to nothing. */
async function read(
  parts: ReaderParts,
  { signal, onProgress, patience, within }: TableWork,
  value: number,
  count: number,
  take: (place: number) => Promise<void>,
) {
  const bring = async () => {
    signal.throwIfAborted()
    if (parts.areFilesAway()) throw new Unavailable('files', 'the files are away')
  }
  await untilAvailable(() => within(bring), patience)
  const { ms, end } = parts.courseOf(value)
  for (let place = 0; place < count; place += 1) {
    await wait(parts, ms / count, signal)
    if (end === 'refused')
      return { kind: 'refused', reason: 'table', detail: 'as it was planned' } as const
    const isHalf = place >= count / 2
    if (end === 'crashed' && isHalf) return { kind: 'crashed', detail: 'as planned' } as const
    await take(place)
    onProgress((place + 1) / count)
  }
  return end === 'crashed' ? ({ kind: 'crashed', detail: 'as planned' } as const) : undefined
}

/** Nobody comes back from it in a process that is dead. */
function wait({ world, process }: ReaderParts, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      done.cancelled = true
      reject(signal.reason)
    }
    const done = world.after(ms, process, () => {
      signal.removeEventListener('abort', stop)
      resolve()
    })
    signal.addEventListener('abort', stop, { once: true })
  })
}

async function storeReport({ store }: TableWork) {
  return { report: await store(Buffer.from('{}')), rejects: await store(Buffer.from('line\n')) }
}

const summary = {
  columns: ['s', 'day', 'sold'],
  ...{ rows: 4, rejected: 0, dropped: 0, reasons: [] },
  ...{ series: 1, shards: 1, observations: 4, missing: 0, absent: 0, filled: 0 },
  ...{ first: '2024-01-01', last: '2024-01-04' },
}
