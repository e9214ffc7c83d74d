import { nodeName } from '@almanac/shared'
import { judge } from '../../../broker/src/retraining/judge.ts'
import type { Holders } from '../../../broker/src/routing/table.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { nodePort } from '../cluster/node-process.ts'
import type { Ledger } from './ledger.ts'

/** What is not well yet, or undefined when all is. */
export function whatAils(cluster: Cluster, ledger: Ledger): string | undefined {
  for (const job of ledger.jobs.values())
    if (job.state !== 'done' && job.state !== 'failed') {
      const { model, version } = job.subject
      return `the fit of version ${version} of ${model} is ${job.state}`
    }
  for (const id of ledger.models.keys()) {
    const ailment = whatAilsModel(cluster, ledger, id)
    if (ailment) return ailment
  }
  for (const [name, { assembly }] of cluster.brokers)
    if (!assembly?.api.isReady()) return `${name} is not ready`
  return whatIsDue(cluster, ledger)
}

/** What should have begun by itself, and has not. */
function whatIsDue({ around, brokers }: Cluster, { occasions }: Ledger): string | undefined {
  const { world } = around
  const clocks = [...brokers.values()].map(
    ({ process }) => world.wallStartMs + world.nowMs + process.wallOffsetMs,
  )
  // As the clock says that is furthest behind: who has the right time may not be asked.
  const now = Math.min(...clocks)
  for (const [key, { enabled, until }] of occasions.schedules) {
    const instant = Math.floor(now / minuteMs) * minuteMs
    if (enabled && Date.parse(until) < instant) return `${key} has not run since ${until}`
  }
  for (const [key, rule] of occasions.rules) {
    const [, , tenant, model] = key.split('/')
    const of = { tenant: tenant!, model: model! }
    for (const [name, { assembly }] of brokers) {
      const { state, bounds } = assembly!.api
      if (clocks.every((at) => judge(state(), of, rule, at, bounds).kind === 'due'))
        return `${name} sees that ${model} has decayed, and nothing is begun`
    }
  }
  return undefined
}

const minuteMs = 60_000

function whatAilsModel(cluster: Cluster, ledger: Ledger, id: string): string | undefined {
  const { record, versions, present, modRevision } = ledger.model(id)
  if (record === undefined) return undefined
  const isDeleted = record.deletedAt !== null
  if (!isDeleted && record.target !== record.serving)
    return `${id} is on its way from ${record.serving} to ${record.target}`
  for (const [number, { state }] of versions) {
    if (!present.has(number)) continue
    if (isDeleted || number <= record.floor) return `${id} is deleted and ${number} is still there`
    if (state === 'stored' && number > record.high && !record.hold)
      return `${id}: ${number} is stored and not rolled out`
  }
  for (const [name, { assembly }] of cluster.brokers) {
    const known = assembly?.api.router.table().models.get(id)
    if (isDeleted ? known !== undefined : known?.modRevision !== modRevision)
      return `${name} does not see ${id} as it is`
    // Its watch may say nothing, so that it knows the record by a look, and nodes of before.
    const holders = record.serving === null ? undefined : known?.holders.get(record.serving)
    if (!isDeleted && record.serving !== null && !knowsSomebody(holders, cluster))
      return `${name} does not know who has version ${record.serving} of ${id}`
  }
  return isDeleted || record.serving === null
    ? undefined
    : whoLacks(cluster, ledger, id, record.serving)
}

/** Whether one of them is a process that lives. */
function knowsSomebody(holders: Holders | undefined, { nodes }: Cluster): boolean {
  const known = [...(holders?.confirmed ?? []), ...(holders?.unconfirmed ?? [])]
  const living = new Set([...nodes.values()].map(({ node }) => node?.instance))
  return known.some(({ instance }) => living.has(instance))
}

/** Every node has what serves, or has said that it is damaged. */
function whoLacks(cluster: Cluster, ledger: Ledger, id: string, serving: number) {
  for (const [name, { node }] of cluster.nodes) {
    const registered = nodeName('10.0.0.1', nodePort(name))
    if (node === undefined || ledger.nodes.get(registered)?.instance !== node.instance)
      return `${name} is not registered`
    const said = ledger.nodeModels.get(`${registered} ${id}`)
    const isDamaged = said?.failed.some((one) => one.version === serving && !one.retriable)
    if (said?.instance !== node.instance || !(said.loaded.includes(serving) || isDamaged))
      return `${name} does not have version ${serving} of ${id}`
  }
  return undefined
}
