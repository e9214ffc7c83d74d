import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  claimKey,
  codecs,
  type Files,
  type JobRecord,
  jobKey,
  mintBlobId,
  openFolderFiles,
  put,
  remove,
  Unavailable,
} from '@almanac/shared'
import { fitRegression } from '@almanac/tables'
import { encodeRegression, type RegressionSpec } from '@almanac/tables/regress'
import { expect, onTestFinished, test } from 'vitest'
import { openMachine, openNode, order, readJob, soon, until, untilJob } from '../support/machine.ts'

const spec: RegressionSpec = {
  target: 'sold',
  features: [
    { column: 'store', type: 'category' },
    { column: 'date', type: 'month' },
  ],
  model: { kind: 'linear' },
}
const sold = ['a', 'b'].map((store) => {
  return new Map([
    ['store', store],
    ['date', '2024-01-01'],
    ['sold', '5'],
  ])
})
const count = 20_000
const head = 'store,date\n'
const row = 'a,2024-02-01\n'

async function openFiles(): Promise<Files> {
  const path = await mkdtemp(join(tmpdir(), 'almanac-files-'))
  const files = await openFolderFiles({ path })
  onTestFinished(async () => {
    await files.close()
    await rm(path, { recursive: true })
  })
  return files
}

async function* contentOf(...parts: readonly string[]) {
  for (const part of parts) yield new TextEncoder().encode(part)
}

async function textOf(files: Files, name: string): Promise<string> {
  const { content } = await files.read(name, soon())
  const parts: Uint8Array[] = []
  for await (const part of content) parts.push(part)
  return Buffer.concat(parts).toString()
}

/** A machine with a stored regression, and what a broker leaves behind for a prediction by it. */
async function opened(text = head + row.repeat(count)) {
  const machine = await openMachine()
  const files = await openFiles()
  const fitted = fitRegression(spec, sold)
  if (fitted.kind === 'refused') throw new Error(fitted.faults[0]?.detail)
  const content = Uint8Array.from(encodeRegression(fitted.value))
  const blob = mintBlobId()
  const upload = { kind: 'model', id: blob, content, label: 'a test' } as const
  const { sha256 } = await machine.store.writeBlob(upload, soon())
  const { etag } = await files.write('rows.csv', contentOf(text), soon())
  const job: JobRecord = {
    ...{ id: 'job-1', kind: 'predict', state: 'queued', attempts: 0, error: null, endedAt: null },
    subject: { tenant: 'default', model: 'sales', version: 1 },
    progress: { phase: 'queued', fraction: 0 },
    ...{ requestId: 'test', createdAt: new Date().toISOString() },
    prediction: {
      ...{ file: 'rows.csv', etag, into: 'predicted.csv', result: null },
      model: { blob, sha256 },
    },
  }
  const then = [put(jobKey(job.id), codecs.job.encode(job))]
  await machine.coordinator.transact({ when: [], then }, soon())
  return { machine, files, of: { tenant: 'default', model: 'sales', version: 1, job: job.id } }
}

/** Files whose content stops in the middle until it is let go, and that tell who reads it. */
function pausing(files: Files) {
  const gate = Promise.withResolvers<void>()
  let readers = 0
  const read: Files['read'] = async (name, signal) => {
    const { info, content } = await files.read(name, signal)
    const paused = async function* () {
      let isFirst = true
      for await (const part of content) {
        yield part
        if (isFirst) readers += 1
        isFirst = false
        await gate.promise
      }
    }
    return { info, content: paused() }
  }
  return { files: { ...files, read }, release: gate.resolve, readers: () => readers }
}

const whole = head.trimEnd().concat(',prediction,error')

test('a file is predicted by a version that no node has loaded', async () => {
  const { machine, files, of } = await opened()
  await order(machine, await openNode(machine, { files }), of.job)
  const job = await untilJob(machine, of, 'done')
  expect(job).toMatchObject({
    ...{ attempts: 1, progress: { phase: 'done', fraction: 1, rows: count } },
    prediction: { result: { rows: count, predicted: count, unpredicted: [] } },
  })
  const lines = (await textOf(files, 'predicted.csv')).trimEnd().split('\n')
  expect([lines[0], lines.length]).toEqual([whole, count + 1])
})

test('who has lost the claim in the middle writes nothing, and who has it then writes all', async () => {
  const { machine, files, of } = await opened()
  const slow = pausing(files)
  // It does not hear of it from its progress.
  const timing = { progressMs: 60_000 }
  await order(machine, await openNode(machine, { files: slow.files, timing }), of.job)
  await until(() => slow.readers() === 1)
  // As when its lease ends.
  const then = [remove(claimKey(of.job))]
  await machine.coordinator.transact({ when: [], then }, soon())
  slow.release()
  await until(async () => {
    const claim = await machine.coordinator.get(claimKey(of.job), soon())
    const { attempts } = await readJob(machine, of.job)
    return claim === undefined && attempts === 0
  })
  expect(await files.info('predicted.csv', soon())).toBeUndefined()
  await order(machine, await openNode(machine, { files }), of.job)
  await untilJob(machine, of, 'done')
  expect((await textOf(files, 'predicted.csv')).split('\n')).toHaveLength(count + 2)
})

test('a drain in the middle gives it back with its attempt, and leaves nothing', async () => {
  const { machine, files, of } = await opened()
  const slow = pausing(files)
  const node = await openNode(machine, { files: slow.files })
  await order(machine, node, of.job)
  await until(() => slow.readers() === 1)
  await node.drain()
  expect(await readJob(machine, of.job)).toMatchObject({ state: 'queued', attempts: 0 })
  slow.release()
  expect(await files.info('predicted.csv', soon())).toBeUndefined()
})

test('while the files are away it waits, and then goes on', async () => {
  const { machine, files, of } = await opened()
  let asked = 0
  const read: Files['read'] = async (name, signal) => {
    asked += 1
    if (asked < 3) throw new Unavailable('files', 'away on purpose')
    return await files.read(name, signal)
  }
  await order(machine, await openNode(machine, { files: { ...files, read } }), of.job)
  expect(await untilJob(machine, of, 'done')).toMatchObject({ attempts: 1 })
  expect(asked).toBe(3)
})

test('a file that was replaced after it was asked for is not predicted', async () => {
  const { machine, files, of } = await opened()
  await files.write('rows.csv', contentOf(head, row), soon())
  await order(machine, await openNode(machine, { files }), of.job)
  const { error } = await untilJob(machine, of, 'failed')
  expect(error).toMatchObject({ phase: 'predict', reason: 'file-changed' })
})

test('a model that is not what was stored predicts nothing', async () => {
  const { machine, files, of } = await opened()
  const job = await readJob(machine, of.job)
  const prediction = job.prediction!
  const other = { ...prediction.model, sha256: '0'.repeat(64) }
  const text = codecs.job.encode({ ...job, prediction: { ...prediction, model: other } })
  await machine.coordinator.transact({ when: [], then: [put(jobKey(of.job), text)] }, soon())
  await order(machine, await openNode(machine, { files }), of.job)
  const { error } = await untilJob(machine, of, 'failed')
  expect(error).toMatchObject({ phase: 'predict', reason: 'checksum' })
  expect(await files.info('predicted.csv', soon())).toBeUndefined()
})

test('rows that cannot be predicted are counted by their reasons, of which there are few', async () => {
  const odd = Array.from({ length: 200 }, (_, i) => `${'x,'.repeat(i)}x\n`).join('')
  const { machine, files, of } = await opened(`${head}${row}nowhere,2024-02-01\n${odd}`)
  await order(machine, await openNode(machine, { files }), of.job)
  const { prediction } = await untilJob(machine, of, 'done')
  const { rows, predicted, unpredicted } = prediction!.result!
  expect([rows, predicted]).toEqual([202, 1])
  expect(unpredicted.length).toBeLessThanOrEqual(51)
  expect(unpredicted.reduce((sum, reason) => sum + reason.rows, 0)).toBe(201)
  expect(unpredicted[0]).toMatchObject({ column: '', reason: 'another reason' })
})
