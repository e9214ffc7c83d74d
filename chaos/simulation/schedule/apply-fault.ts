import { unreachable } from '@almanac/shared'
import type { Cluster } from '../cluster/cluster.ts'
import type { Fault } from './plan.ts'

/** Makes a fault happen now; returns how it ends, where it lasts. */
export function applyFault(cluster: Cluster, fault: Fault): () => void {
  const { world, network, etcd, store } = cluster.around
  switch (fault.kind) {
    case 'crash':
      cluster.kill(fault.who)
      return () => cluster.start(fault.who)
    case 'pause': {
      const process = cluster.process(fault.who)
      world.pause(process)
      return () => world.resume(process)
    }
    case 'drain':
      cluster.drain(fault.who)
      return () => cluster.start(fault.who)
    case 'cut':
      return network.cut(fault.from, fault.to)
    case 'slow':
      return network.slow(fault.from, fault.to, fault.ms)
    case 'lose':
      return network.lose(fault.from, fault.to, fault.share)
    case 'etcd-away':
      etcd.isAway = true
      etcd.leases.freeze()
      for (const stream of [...etcd.streams]) stream.break('etcd went away')
      return () => {
        etcd.isAway = false
        etcd.leases.thaw()
      }
    case 'etcd-silent':
      return silence(cluster)
    case 'store-away':
      store.isAway = true
      return () => {
        store.isAway = false
      }
    case 'leases-lost':
      for (const id of etcd.leases.ids()) if (world.random() < fault.share) etcd.leases.revoke(id)
      return () => {}
    case 'compaction':
      if (etcd.data.revision > etcd.data.compacted) etcd.compact(etcd.data.revision)
      return () => {}
    case 'streams-broken':
      for (const stream of [...etcd.streams])
        if (stream.process.name === fault.who) stream.break('connection reset')
      return () => {}
    case 'streams-forgotten':
      for (const stream of [...etcd.streams]) if (stream.process.name === fault.who) stream.forget()
      return () => {}
    case 'clock-jump':
      cluster.process(fault.who).wallOffsetMs += fault.ms
      return () => {}
    case 'damage':
      // Done when the model is stored: see `run.ts`.
      return () => {}
    default:
      return unreachable(fault)
  }
}

/** Nobody reaches etcd, and it has no leader that could end leases. */
function silence(cluster: Cluster): () => void {
  const { network, etcd } = cluster.around
  const names = [...cluster.brokers.keys(), ...cluster.nodes.keys()]
  const ends = names.flatMap((name) => [network.cut(name, 'etcd'), network.cut('etcd', name)])
  etcd.leases.freeze()
  return () => {
    for (const end of ends) end()
    etcd.leases.thaw()
  }
}
