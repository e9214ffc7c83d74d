import { codecs, put, type ShardRecord, shardKey } from '@almanac/shared'
import type { RunningNode } from '../../src/index.ts'
import { breakable } from './faults.ts'
import { type Machine, type Order, openNode, soon, until, untilJob } from './machine.ts'
import { orderShards, readShardRecords } from './shards.ts'

/** The blobs of the shards of a job that are done. */
async function blobsDone(machine: Machine, of: Order): Promise<string[]> {
  const records = await readShardRecords(machine, of.job)
  return [...records.values()].flatMap(({ fitted }) => (fitted ? [fitted.blob] : []))
}

/** Until some node works on the first of the shards. */
export const untilBegun = (machine: Machine, of: Order) =>
  until(async () => (await readShardRecords(machine, of.job)).size === 1)

/** One node is gone after three shards of a job or more, which are `kept`; another does the rest. */
export async function handedOver(
  machine: Machine,
  queue: () => Promise<Order>,
): Promise<{ readonly of: Order; readonly kept: string[]; readonly second: RunningNode }> {
  const { coordinator, faults } = breakable(machine.coordinator)
  const first = await openNode({ ...machine, coordinator })
  const of = await queue()
  await orderShards(machine, first, of.job)
  await until(async () => (await blobsDone(machine, of)).length >= 3)
  faults.away = true
  for (const lease of faults.leases) await lease.revoke(soon())
  const kept = await blobsDone(machine, of)

  const second = await openNode(machine)
  await orderShards(machine, second, of.job)
  await untilJob(machine, of, 'done')
  return { of, kept, second }
}

/** The second shard of a job as so many lost processes leave it. */
export async function tried(machine: Machine, of: Order, attempts: number): Promise<void> {
  const record: ShardRecord = { attempts, fitted: null, error: null }
  const then = [put(shardKey(of.job, 1), codecs.shard.encode(record))]
  await machine.coordinator.transact({ when: [], then }, soon())
}

/** How many shards of whatever job ended so at a node. */
export async function shardsOf({ url }: RunningNode, outcome: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const line = new RegExp(`^almanac_shards_total\\{[^}]*outcome="${outcome}"[^}]*\\} (\\d+)`, 'm')
  return Number(line.exec(text)?.[1] ?? 0)
}
