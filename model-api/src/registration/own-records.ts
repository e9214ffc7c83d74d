import { containerFormats } from '@almanac/engine'
import {
  codecs,
  type NodeModelRecord,
  type NodeRecord,
  nodeKey,
  nodeModelKey,
  protocolVersion,
} from '@almanac/shared'

export type NodeRole = NodeRecord['roles'][number]

/** What does not change while a node lives. */
export type NodeIdentity = {
  readonly node: string
  readonly ip: string
  readonly port: number
  readonly instance: string
  readonly roles: readonly NodeRole[]
  /** Fits that it would take: under way and queued. */
  readonly fitsMax: number
  readonly startedAt: string
}

/** The keys under `/nodes/` that say what this node is and has. */
export function ownRecords(
  identity: NodeIdentity,
  fitsBusy: number,
  models: ReadonlyMap<string, NodeModelRecord>,
): Map<string, string> {
  const { node, ip, port, instance, roles, fitsMax, startedAt } = identity
  const record: NodeRecord = {
    ip,
    port,
    instance,
    roles: [...roles],
    capacity: { fits: fitsMax, fitsBusy },
    protocol: protocolVersion,
    formats: [...containerFormats],
    startedAt,
  }
  const records = new Map([[nodeKey(node), codecs.node.encode(record)]])
  for (const [id, value] of models) {
    const [tenant = '', model = ''] = id.split('/', 2)
    records.set(nodeModelKey(node, { tenant, model }), codecs.nodeModel.encode(value))
  }
  return records
}
