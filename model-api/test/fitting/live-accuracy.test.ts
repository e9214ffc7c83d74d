import { decodeModel, engineLimits, scoreNews } from '@almanac/engine'
import {
  codecs,
  put,
  type ShardRecord,
  shardKey,
  shardsPrefix,
  Unavailable,
  versionKey,
} from '@almanac/shared'
import { expect, test } from 'vitest'
import { breakable } from '../support/faults.ts'
import {
  type Machine,
  type Order,
  openMachine,
  openNode,
  readVersion,
  soon,
  until,
  untilJob,
} from '../support/machine.ts'
import {
  type Keyed,
  keyedSeries,
  orderShards,
  queueShards,
  queueUpdate,
  readModels,
  readShardRecords,
} from '../support/shards.ts'

const errorMax = engineLimits.liveErrorMax

/** A stored version of so many series, four to a shard; one of them never changes. */
async function openFitted(count: number) {
  const machine = await openMachine()
  const of = await queueShards(machine, keyedSeries(count, { 1: [5, 5, 5] }), 4)
  const node = await openNode(machine)
  await orderShards(machine, node, of.job)
  await untilJob(machine, of, 'done')
  return { machine, node, of }
}

const keyOf = (i: number) => `product=${String(i).padStart(3, '0')}`
const newsOf = (places: readonly number[]): Keyed[] =>
  places.map((i) => ({ key: keyOf(i), y: [11 + i, null, 12 + i] }))

/** What is to be told of these news, by the models of a version one by one. */
async function foreseen(machine: Machine, of: Order, news: readonly Keyed[]) {
  const { shards } = await readModels(machine, (await readVersion(machine, of)).blob!)
  let [count, scaled] = [0, 0]
  for (const { key, y } of news) {
    const shard = shards.find((one) => one.find(key) >= 0)!
    const place = shard.find(key)
    const scale = shard.columns.get('live-scale')![place] as number
    if (scale === 0) continue
    const model = decodeModel(shard.payloadAt(place))
    if (model.kind === 'refused') throw new Error(model.reason.detail)
    const score = scoreNews(
      model.value,
      Float64Array.from(y, (value) => value ?? Number.NaN),
    )
    count += score!.count
    scaled += score!.absolute / scale
  }
  return { count, scaled: expect.closeTo(scaled, 8), errorMax }
}

const all16 = Array.from({ length: 16 }, (_, i) => i)

test('a shard that is done again after its node died is told once', async () => {
  const { machine, node, of } = await openFitted(16)
  await node.close()
  const { coordinator, faults } = breakable(machine.coordinator)
  const first = await openNode({ ...machine, coordinator })
  const news = newsOf(all16)
  const update = await queueUpdate(machine, of, news)
  let done = 0
  // It dies with the third shard in the store, but not in its record.
  faults.transaction = ({ then }) => {
    const ends = then.some(
      (one) =>
        one.kind === 'put' &&
        one.key.startsWith(shardsPrefix(update.job)) &&
        JSON.parse(one.value).fitted !== null,
    )
    if (!ends || ++done < 3) return 'pass'
    faults.away = true
    return new Unavailable('coordinator', 'the node is gone')
  }
  await orderShards(machine, first, update.job)
  await until(() => faults.away)
  for (const lease of faults.leases) await lease.revoke(soon())
  expect(liveOf(await readShardRecords(machine, update.job))).toHaveLength(2)

  const second = await openNode(machine)
  await orderShards(machine, second, update.job)
  await untilJob(machine, update, 'done')

  const records = await readShardRecords(machine, update.job)
  expect([...records.values()].map(({ attempts }) => attempts).sort()).toEqual([1, 1, 1, 2])
  const wanted = await foreseen(machine, of, news)
  // All but the one that never changed.
  expect(wanted.count).toBe(2 * 15)
  const { accuracy, metrics } = await readVersion(machine, update)
  expect(accuracy).toEqual({ scale: 1, updates: [{ version: 2, ...wanted }] })
  const [{ count, scaled } = { count: 0, scaled: 0 }] = accuracy!.updates
  expect(metrics).toMatchObject({ liveMase: scaled / count, liveObservations: 30 })
})

test('the next update goes on from there; shards without news are not told again', async () => {
  const { machine, node, of } = await openFitted(12)
  const once = await queueUpdate(machine, of, newsOf([0, 5, 9]))
  await orderShards(machine, node, once.job)
  await untilJob(machine, once, 'done')
  const { accuracy, blob } = await readVersion(machine, once)
  expect(accuracy?.updates[0]).toMatchObject({ version: 2, count: 6 })
  expect((await readModels(machine, blob!)).index.shards.some((one) => 'live' in one)).toBe(false)

  const news = newsOf([6, 9])
  const twice = await queueUpdate(machine, once, news)
  // As whoever accepts it does.
  const queued = { ...(await readVersion(machine, twice)), accuracy: accuracy! }
  const then = [put(versionKey(twice, 3), codecs.version.encode(queued))]
  await machine.coordinator.transact({ when: [], then }, soon())
  await orderShards(machine, node, twice.job)
  await untilJob(machine, twice, 'done')
  const wanted = await foreseen(machine, once, news)
  expect((await readVersion(machine, twice)).accuracy?.updates).toEqual([
    { version: 3, ...wanted },
    ...accuracy!.updates,
  ])
})

test.each([
  ['tells nothing', undefined],
  ['lets one series outweigh all others', { count: 2, scaled: 1_540 }],
])('a shard that an older node did %s, and keeps nobody from it', async (_what, live) => {
  const { machine, node, of } = await openFitted(8)
  const news = newsOf([2, 5])
  const update = await queueUpdate(machine, of, news)
  const { index } = await readModels(machine, (await readVersion(machine, of)).blob!)
  const { first: _, codes = {}, ...known } = index.shards[0]!
  const fitted = { ...known, codes, ...(live && { live }) }
  const older: ShardRecord = { attempts: 1, fitted, error: null }
  const then = [put(shardKey(update.job, 0), codecs.shard.encode(older))]
  await machine.coordinator.transact({ when: [], then }, soon())
  await orderShards(machine, node, update.job)
  await untilJob(machine, update, 'done')
  const wanted = await foreseen(machine, of, news.slice(1))
  expect((await readVersion(machine, update)).accuracy).toEqual({
    scale: 1,
    updates: [{ version: 2, ...wanted }],
  })
})

const liveOf = (records: ReadonlyMap<number, ShardRecord>) =>
  [...records.values()].flatMap(({ fitted }) => fitted?.live ?? [])
