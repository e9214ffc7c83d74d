import type { ViewOfBroker } from '../cluster/clients.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { NodeProcess } from '../cluster/node-process.ts'
import type { Fault, Plan } from '../schedule/plan.ts'
import { told } from './judge-forecasts.ts'
import type { Ledger } from './ledger.ts'
import type { ForecastRecord } from './records.ts'

/**
 * No forecast that reached a live broker fails while a node that this broker can reach has the
 * model. Judged when it fails: a node must have been there all the time, known to the broker, with
 * nothing between them.
 */
export function createReachability(cluster: Cluster, ledger: Ledger, { faults }: Plan) {
  const isStoreWell = !faults.some(isOfStore)
  return {
    judge(record: ForecastRecord, view: ViewOfBroker): string[] {
      const { outcome, request } = record
      if (outcome.kind === 'answer' || request.version !== 'serving') return []
      // Refused for what was asked, not for want of a node.
      if (outcome.status < 500) return []
      // Of many series a node may have to read before it answers.
      if (request.series !== undefined && !isStoreWell) return []
      const version = view.before
      if (version === undefined || version !== view.after) return []
      const able = [...cluster.nodes.values()].find((node) =>
        couldAnswer(cluster, ledger, node, record, version),
      )
      if (!able) return []
      return [`${told(record)}: ${able.process.name} could have answered with version ${version}`]
    },
  }
}

const isOfStore = (fault: Fault): boolean =>
  fault.kind === 'store-away' || ('from' in fault && [fault.from, fault.to].includes('store'))

function couldAnswer(
  { around, brokers }: Cluster,
  ledger: Ledger,
  { process, node, isDraining, server }: NodeProcess,
  { sentMs, request }: ForecastRecord,
  version: number,
): boolean {
  const { network } = around
  if (!node || !server || isDraining || process.state !== 'running') return false
  if (process.troubledMs > sentMs - settledMs) return false
  if (!network.wasGood(request.broker, process.name, sentMs - settledMs)) return false
  const broker = brokers.get(request.broker)
  const heldSinceMs = ledger.heldSinceMs.get(`${node.instance} default/${request.model} ${version}`)
  if (heldSinceMs === undefined || heldSinceMs > sentMs) return false
  const routes = broker?.assembly?.api.router.table().models.get(`default/${request.model}`)
  const holders = routes?.holders.get(version)
  const known = [...(holders?.confirmed ?? []), ...(holders?.unconfirmed ?? [])]
  const isKnown = known.some(({ instance }) => instance === node.instance)
  // Who follows the coordinator must know; who is cut off from it may not.
  const follows =
    heldSinceMs < sentMs - toldMs && network.wasGood(request.broker, 'etcd', sentMs - toldMs)
  return isKnown || follows
}

/** What was wrong before may still be felt: requests under way, rests of a node. */
const settledMs = 1_000
/** By then a broker that hears of changes has heard of this one. */
const toldMs = 16_000
