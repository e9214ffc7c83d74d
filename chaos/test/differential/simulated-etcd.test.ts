import { expect, test } from 'vitest'
import { openEmbeddedCoordinator, openEtcdCoordinator } from '../../../shared/src/index.ts'
import { compareSides, describeDifference } from '../../differential/compare.ts'
import { generateHistory } from '../../differential/generate.ts'
import { sideOf } from '../../differential/sides.ts'
import { createEtcdClient } from '../../simulation/etcd/client.ts'
import { Etcd } from '../../simulation/etcd/etcd.ts'
import { Network } from '../../simulation/world/network.ts'
import { realTimeWorld } from '../simulation/real-time.ts'

const { signal } = new AbortController()

/** Below the adapter of production, as in the simulation. */
function modelOfEtcd() {
  const world = realTimeWorld(1)
  const network = new Network(world, 1)
  const etcd = new Etcd(world)
  let count = 0
  const open = () => {
    count += 1
    const process = world.startProcess(`client ${count}`)
    const createClient = () => createEtcdClient({ world, network, etcd, process })
    return openEtcdCoordinator({ endpoints: ['etcd'], createClient, callTimeoutMs: 20_000 })
  }
  return sideOf('the model of etcd', async () => [await open(), await open()])
}

test('the model of etcd and the embedded coordinator give the same results for the same history', async () => {
  const embedded = await sideOf('embedded', async () => [
    await openEmbeddedCoordinator({ path: ':memory:' }),
  ])
  const sides = [embedded, await modelOfEtcd()] as const
  for (let seed = 1; seed <= 20; seed++) {
    // In memory nothing is there after it is opened again.
    const history = generateHistory(seed).filter(({ act }) => act.kind !== 'reopen')
    const difference = await compareSides(sides, history, signal)
    expect(difference && describeDifference(history, difference)).toBeUndefined()
  }
  for (const side of sides) await side.close()
}, 120_000)
