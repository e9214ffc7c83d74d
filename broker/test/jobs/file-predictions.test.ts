import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  codecs,
  type JobRecord,
  jobKey,
  mintBlobId,
  openFolderFiles,
  put,
  remove,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import { expect, onTestFinished, test } from 'vitest'
import { boundsOf } from '../../src/config/bounds.ts'
import { readReferences } from '../../src/jobs/garbage.ts'
import { call, fit, get, openCluster, type TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'

const signal = () => AbortSignal.timeout(5_000)
const of = { tenant: 'default', model: 'm' }
const body = { file: 'rows.csv', into: 'out.csv' }
const path = '/api/models/m/predictions'
const later = { prefer: 'respond-async' }

/** A cluster whose model is a regression by its record, and a file; nobody predicts. */
async function opened() {
  const cluster = await openCluster()
  const folder = await mkdtemp(join(tmpdir(), 'almanac-files-'))
  const files = await openFolderFiles({ path: folder })
  onTestFinished(async () => {
    await files.close()
    await rm(folder, { recursive: true })
  })
  const node = await cluster.node()
  const broker = await cluster.broker({ reconcileMs: 100, exhaustedGraceMs: 200 }, { files })
  await fit(broker, 'm')
  const key = versionKey(of, 1)
  const version = codecs.version.decode((await cluster.coordinator.get(key, signal()))!.value)
  if (!version.ok) throw new Error(version.fault)
  const spec = { family: 'regression', features: [{ column: 'store', type: 'category' }] }
  await write(cluster, key, codecs.version.encode({ ...version.value, spec }))
  await eventually(
    async () => (await get(broker, '/api/models/m/versions/1')).body.spec,
    (seen) => JSON.stringify(seen) === JSON.stringify(spec),
  )
  await node.close()
  const content = (async function* () {
    yield Buffer.from('store\n1\n')
  })()
  await files.write('rows.csv', content, signal())
  return { cluster, files, broker, version: version.value }
}

const write = ({ coordinator }: TestCluster, key: string, value: string) =>
  coordinator.transact({ when: [], then: [put(key, value)] }, signal())

async function jobOf({ coordinator }: TestCluster, id: string): Promise<JobRecord> {
  const job = codecs.job.decode((await coordinator.get(jobKey(id), signal()))!.value)
  if (job.ok) return job.value
  throw new Error(job.fault)
}

const referencesOf = ({ coordinator, store }: TestCluster) =>
  readReferences({ coordinator, store, bounds: boundsOf() }, signal())

test('what predicts is kept as long as the job is open, whatever becomes of its version', async () => {
  const { cluster, broker, version } = await opened()
  const begun = await call(broker, 'POST', path, { body, headers: later })
  expect(begun.status, begun.text).toBe(202)
  const id = String(begun.body.job)
  const { blob } = version as VersionRecord & { blob: string }
  const job = await jobOf(cluster, id)
  expect(job).toMatchObject({ kind: 'predict', prediction: { ...body, model: { blob } } })
  const then = [remove(versionKey(of, 1))]
  await cluster.coordinator.transact({ when: [], then }, signal())
  expect((await referencesOf(cluster)).has(blob)).toBe(true)
  await call(broker, 'POST', `/api/jobs/${id}/cancel`)
  expect((await referencesOf(cluster)).has(blob)).toBe(false)
})

test('one that ended every node that tried it fails, and leaves its version as it is', async () => {
  const { cluster, broker } = await opened()
  const begun = await call(broker, 'POST', path, { body, headers: later })
  const id = String(begun.body.job)
  const job = await jobOf(cluster, id)
  await write(cluster, jobKey(id), codecs.job.encode({ ...job, attempts: 9, state: 'running' }))
  const seen = await eventually(
    async () => (await get(broker, `/api/jobs/${id}`)).body,
    ({ state }) => state === 'failed',
  )
  expect(seen).toMatchObject({ error: { phase: 'predict', reason: 'attempts-exhausted' } })
  expect((await get(broker, '/api/models/m/versions/1')).body.state).toBe('serving')
})

test('a file that went, or a version that is not stored, is told before anything is begun', async () => {
  const { cluster, files, broker, version } = await opened()
  await files.remove('rows.csv', signal())
  const gone = await call(broker, 'POST', path, { body })
  expect([gone.status, gone.body.field]).toEqual([422, '/file'])
  const spec = { family: 'regression', features: [] }
  const open = { ...version, spec, version: 2, state: 'queued' as const, blob: null, sha256: null }
  await write(cluster, versionKey(of, 2), codecs.version.encode({ ...open, job: mintBlobId() }))
  const asked = await call(broker, 'POST', `${path}?version=2`, { body })
  expect([asked.status, asked.body.type]).toEqual([409, 'urn:almanac:problem:version-not-ready'])
})

test('into a folder, or below a file, is refused before anything is begun', async () => {
  const { broker, files } = await opened()
  const content = (async function* () {
    yield Buffer.from('1')
  })()
  await files.write('folder/a.csv', content, signal())
  for (const into of ['folder', 'folder/a.csv/b.csv', 'rows.csv/b.csv']) {
    const answer = await call(broker, 'POST', path, { body: { ...body, into }, headers: later })
    const told = { type: 'urn:almanac:problem:name-taken', field: '/into' }
    expect(answer, answer.text).toMatchObject({ status: 409, body: told })
  }
  const jobs = (await get(broker, '/api/jobs?kind=predict')).body.jobs
  expect(jobs).toEqual([])
  const free = await call(broker, 'POST', path, {
    body: { ...body, into: 'folder/b.csv' },
    headers: later,
  })
  expect(free.status, free.text).toBe(202)
})
