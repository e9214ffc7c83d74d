import {
  codecs,
  encodeTableSource,
  type JobRecord,
  jobKey,
  Missing,
  mintBlobId,
  put,
  versionKey,
} from '@almanac/shared'
import type { FileReader } from '../../src/base/context.ts'
import { type Machine, queueFit, readJob, readVersion, soon } from './machine.ts'

export async function* bytesOf(text: string) {
  yield new TextEncoder().encode(text)
}

export const info = {
  name: 'sales.csv',
  sizeBytes: 1,
  modifiedAt: '2026-01-01T00:00:00.000Z',
  etag: 'e',
}

export const filesWith = (files: Readonly<Record<string, string>>): FileReader => ({
  read: async (name) => {
    const text = files[name]
    if (text === undefined) throw new Missing(`no file ${name}`)
    return { info, content: bytesOf(text) }
  },
})

/** What a broker leaves behind when it accepted a fit of a table. */
export async function queueTable(
  machine: Machine,
  file: string,
  recipe: unknown,
  { spec, kind }: { readonly spec: unknown; readonly kind: JobRecord['kind'] },
) {
  const of = await queueFit(machine, { spec })
  const content = encodeTableSource({ format: 1, file, recipe })
  const id = mintBlobId()
  await machine.store.writeBlob({ kind: 'dataset', id, content, label: 'a test' }, soon())
  const version = await readVersion(machine, of)
  const job = await readJob(machine, of.job)
  const made = {
    ...version,
    dataset: { blob: id, observations: 0 },
    table: { file, source: id, report: null, rejects: null },
  }
  const then = [
    put(versionKey(of, of.version), codecs.version.encode(made)),
    put(jobKey(of.job), codecs.job.encode({ ...job, kind })),
  ]
  await machine.coordinator.transact({ when: [], then }, soon())
  return of
}
