import { openEtcdCoordinator } from '@almanac/shared'
import { coordinatorConformance } from '../../../shared/test/coordination/conformance.ts'
import { createEtcdClient } from '../../simulation/etcd/client.ts'
import { Etcd } from '../../simulation/etcd/etcd.ts'
import { Network } from '../../simulation/world/network.ts'
import { realTimeWorld } from './real-time.ts'

// The model stands where etcd stands: below the adapter, which is the one of production.
coordinatorConformance({
  name: 'the model of etcd',
  leaseTtlMs: 2_000,
  open: async () => {
    const world = realTimeWorld(1)
    const network = new Network(world, 1)
    const etcd = new Etcd(world)
    const open = (name: string) => {
      const process = world.startProcess(name)
      const createClient = () => createEtcdClient({ world, network, etcd, process })
      return openEtcdCoordinator({ endpoints: ['etcd'], createClient })
    }
    const [one, other] = [await open('one'), await open('other')]
    const close = async () => {
      await Promise.all([one.close(), other.close()])
    }
    return { one, other, close }
  },
})
