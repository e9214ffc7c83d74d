import {
  decodeModel,
  encodeModel,
  fitModel,
  forecastModel,
  parseSpec,
  updateModel,
} from '@almanac/engine'
import { codecs, put, versionKey } from '@almanac/shared'
import { expect, test } from 'vitest'
import {
  type Machine,
  openMachine,
  openNode,
  order,
  queueFit,
  readVersion,
  shortSeries,
  soon,
  untilJob,
} from '../support/machine.ts'

const newer = [11, null, 9.5, 10.25]

async function openFitted() {
  const machine = await openMachine()
  const node = await openNode(machine)
  const first = await queueFit(machine)
  await order(machine, node, first.job)
  await untilJob(machine, first, 'done')
  const { blob, sha256 } = await readVersion(machine, first)
  return { machine, node, base: { version: 1, blob: blob!, sha256: sha256! } }
}

const modelBytes = ({ store }: Machine, blob: string) =>
  store.readBlob({ kind: 'model', id: blob }, soon())

test('an update is the base, moved on by the new observations and nothing else', async () => {
  const { machine, node, base } = await openFitted()
  const of = await queueFit(machine, { version: 2, base, series: { y: newer } })
  await order(machine, node, of.job)
  await untilJob(machine, of, 'done')

  const record = await readVersion(machine, of)
  const before = decodeModel(await modelBytes(machine, base.blob))
  if (before.kind === 'refused') throw new Error(before.reason.detail)
  const y = Float64Array.from(newer, (value) => value ?? Number.NaN)
  const after = updateModel(before.value, { y })
  if (after.kind === 'refused') throw new Error(after.reason.detail)
  expect(Buffer.from(await modelBytes(machine, record.blob!))).toEqual(
    Buffer.from(encodeModel(after.value)),
  )
  expect(record).toMatchObject({ state: 'stored', base, metrics: { observations: 63 } })
})

test('an update tells how well its base had foreseen it; a fit what errors are divided by', async () => {
  const { machine, node, base } = await openFitted()
  const { accuracy, metrics } = await readVersion(machine, {
    ...{ tenant: 'default', model: 'default', version: 1, job: '' },
  })
  const changes = shortSeries().flatMap((value, i, all) =>
    i === 0 ? [] : [Math.abs(value - all[i - 1]!)],
  )
  const scale = changes.reduce((sum, change) => sum + change, 0) / changes.length
  expect(accuracy?.scale).toBeCloseTo(scale, 12)
  expect(accuracy?.updates).toEqual([])
  expect(metrics.liveMase).toBeUndefined()

  const before = decodeModel(await modelBytes(machine, base.blob))
  if (before.kind === 'refused') throw new Error(before.reason.detail)
  const ask = { horizon: newer.length, quantiles: new Float64Array(0) }
  const foreseen = forecastModel(before.value, ask)
  if (foreseen.kind === 'refused') throw new Error(foreseen.reason.detail)
  const errors = newer.flatMap((value, h) =>
    value === null ? [] : [Math.abs(value - foreseen.value.point[h]!)],
  )
  const scaled = errors.reduce((sum, error) => sum + error, 0) / scale

  const earlier = { version: 0, count: 1, scaled: 2 }
  const known = { scale: accuracy!.scale, updates: [earlier] }
  const of = await queueFit(machine, { version: 2, base, series: { y: newer } })
  const queued = await readVersion(machine, of)
  const value = codecs.version.encode({ ...queued, accuracy: known })
  await machine.coordinator.transact({ when: [], then: [put(versionKey(of, 2), value)] }, soon())
  await order(machine, node, of.job)
  await untilJob(machine, of, 'done')
  const record = await readVersion(machine, of)
  expect(record.accuracy?.updates).toHaveLength(2)
  expect(record.accuracy?.updates[0]).toMatchObject({ version: 2, count: 3 })
  expect(record.accuracy?.updates[0]?.scaled).toBeCloseTo(scaled, 10)
  expect(record.accuracy?.updates[1]).toEqual(earlier)
  expect(record.metrics.liveMase).toBeCloseTo(scaled / 3, 10)
  expect(record.metrics.liveMae).toBeCloseTo((scaled * scale) / 3, 10)
})

test('an update of data that never changed tells how far off its forecast was, by no scale', async () => {
  const machine = await openMachine()
  const node = await openNode(machine)
  const spec = { family: 'baseline', method: 'naive' }
  const first = await queueFit(machine, { spec, series: { y: Array(30).fill(5) } })
  await order(machine, node, first.job)
  await untilJob(machine, first, 'done')
  const { blob, sha256, accuracy } = await readVersion(machine, first)
  expect(accuracy).toBeUndefined()

  const base = { version: 1, blob: blob!, sha256: sha256! }
  const of = await queueFit(machine, { version: 2, base, spec, series: { y: [7, null, 2] } })
  await order(machine, node, of.job)
  await untilJob(machine, of, 'done')
  const record = await readVersion(machine, of)
  expect(record.accuracy).toBeUndefined()
  expect(record.metrics).toMatchObject({ liveMae: 2.5 })
  expect(record.metrics).not.toHaveProperty('liveMase')
})

test('an update is no fit of the new observations alone', async () => {
  const { machine, node, base } = await openFitted()
  const y = shortSeries(40)
  const of = await queueFit(machine, { version: 2, base, series: { y } })
  await order(machine, node, of.job)
  await untilJob(machine, of, 'done')
  const record = await readVersion(machine, of)
  const spec = parseSpec(record.spec)
  if (spec.kind === 'refused') throw new Error(spec.reason.detail)
  const alone = fitModel({ y: Float64Array.from(y) }, spec.value, { seed: 1, workMax: 1e9 })
  if (alone.kind === 'refused') throw new Error(alone.reason.detail)
  const stored = Buffer.from(await modelBytes(machine, record.blob!))
  expect(stored).not.toEqual(Buffer.from(encodeModel(alone.value)))
})

test.each([
  ['of another content', { sha256: 'a'.repeat(64) }, 'checksum', /Version 1, the base/],
  ['that is not there', { blob: 'no-such-blob' }, 'no-data', /no-such-blob/],
])('a base %s ends the update for good', async (_what, wrong, reason, detail) => {
  const { machine, node, base } = await openFitted()
  const of = await queueFit(machine, { version: 2, base: { ...base, ...wrong } })
  await order(machine, node, of.job)
  await untilJob(machine, of, 'failed')
  const { error } = await readVersion(machine, of)
  expect(error).toMatchObject({ phase: 'fit', reason })
  expect(error?.detail).toMatch(detail)
})

test('what the family cannot take is told', async () => {
  const { machine, node, base } = await openFitted()
  const of = await queueFit(machine, { version: 2, base, series: { y: [1e300, -1e300] } })
  await order(machine, node, of.job)
  await untilJob(machine, of, 'failed')
  expect((await readVersion(machine, of)).error?.detail.length).toBeGreaterThan(10)
})
