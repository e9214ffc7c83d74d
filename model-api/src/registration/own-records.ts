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

/** Where a node's models are, as far as its keys tell them. */
export type Placed = {
  takeNews(): ReadonlySet<string>
  registration(model: string): NodeModelRecord | undefined
}

/**
 * The keys under `/nodes/` that say what this node is and has. Asked for after each change, so it
 * costs what has changed: a node may have ten thousand models.
 */
export class OwnRecords {
  readonly #identity: NodeIdentity
  readonly #fitsBusy: () => number
  readonly #placed: Placed
  readonly #texts = new Map<string, string>()

  constructor(identity: NodeIdentity, fitsBusy: () => number, placed: Placed) {
    this.#identity = identity
    this.#fitsBusy = fitsBusy
    this.#placed = placed
  }

  /** Keys and values as they should be, at the last `refresh`. */
  get wanted(): ReadonlyMap<string, string> {
    return this.#texts
  }

  /** Brings `wanted` up to date, and tells which keys changed with that. */
  refresh(): ReadonlySet<string> {
    const { node } = this.#identity
    const changed = new Set<string>()
    const set = (key: string, text: string | undefined) => {
      if (this.#texts.get(key) === text) return
      if (text === undefined) this.#texts.delete(key)
      else this.#texts.set(key, text)
      changed.add(key)
    }
    set(nodeKey(node), codecs.node.encode(nodeRecord(this.#identity, this.#fitsBusy())))
    for (const id of this.#placed.takeNews()) {
      const [tenant = '', model = ''] = id.split('/', 2)
      const record = this.#placed.registration(id)
      set(nodeModelKey(node, { tenant, model }), record && codecs.nodeModel.encode(record))
    }
    return changed
  }
}

function nodeRecord(identity: NodeIdentity, fitsBusy: number): NodeRecord {
  const { ip, port, instance, roles, fitsMax, startedAt } = identity
  return {
    ip,
    port,
    instance,
    roles: [...roles],
    capacity: { fits: fitsMax, fitsBusy },
    protocol: protocolVersion,
    formats: [...containerFormats],
    startedAt,
  }
}
