import { limits, Unavailable } from '@almanac/shared'
import type { Rows } from '../../../shared/src/store/rows.ts'
import type { Network } from '../world/network.ts'
import type { Steps } from '../world/steps.ts'
import type { Process, World } from '../world/world.ts'
import type { Blobs } from './blobs.ts'

export type RowsParts = {
  readonly world: World
  readonly network: Network
  readonly process: Process
  readonly blobs: Blobs
  /** Refuses what it is asked. */
  readonly isAway: () => boolean
  readonly steps?: Steps | undefined
}

const place = 'store'

/** The rows of the store over the simulated network, each call bounded in time as adapters are. */
export function createRows(parts: RowsParts): Rows {
  const { blobs } = parts
  const ask = <T>(name: string, signal: AbortSignal, serve: () => T) =>
    call(parts, name, signal, serve)
  return {
    begin: (upload, signal) => ask('begin', signal, () => blobs.begin(upload)),
    putChunks: (upload, chunks, signal) =>
      ask('put-chunks', signal, () => blobs.putChunks(upload, chunks)),
    finish: (upload, manifest, signal) =>
      ask('finish', signal, () => blobs.finish(upload, manifest)),
    find: (ref, signal) => ask('find', signal, () => blobs.find(ref)),
    getChunks: (ref, from, count, signal) =>
      ask('get-chunks', signal, () => blobs.getChunks(ref, from, count)),
    list: (kind, after, limit, signal) => ask('list', signal, () => blobs.list(kind, after, limit)),
    remove: (ref, signal) => ask('remove', signal, () => blobs.remove(ref)),
    putRecord: (record, signal) => ask('put-record', signal, () => blobs.putRecord(record)),
    getRecord: (ref, signal) => ask('get-record', signal, () => blobs.getRecord(ref)),
    listRecords: (scope, after, limit, signal) =>
      ask('list-records', signal, () => blobs.listRecords(scope, after, limit)),
    deleteRecord: (ref, signal) => ask('delete-record', signal, () => blobs.deleteRecord(ref)),
    ping: (signal) => ask('ping', signal, () => {}),
    close: async () => {},
  }
}

function call<T>(parts: RowsParts, name: string, signal: AbortSignal, serve: () => T): Promise<T> {
  const { world, network, process, steps } = parts
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const fate = steps?.fateOf(process, `store ${name}`) ?? 'goes on'
    if (fate === 'dies before') steps?.die(process)
    if (process.state === 'dead') return
    const settle = (outcome: () => void) => {
      late.cancelled = true
      signal.removeEventListener('abort', giveUp)
      outcome()
    }
    const giveUp = () => settle(() => reject(signal.reason))
    const fail = (why: string) => settle(() => reject(new Unavailable('store', `the store ${why}`)))
    const late = world.after(limits.storeCallMs, process, () => fail('did not answer in time'))
    signal.addEventListener('abort', giveUp, { once: true })
    const send = () => {
      if (network.isCut(process.name, place)) return
      world.after(network.delayMs(process.name, place), undefined, () => {
        const isAway = parts.isAway()
        const value = isAway ? undefined : serve()
        if (fate === 'dies after') steps?.die(process)
        if (network.isCut(place, process.name)) return
        const isLost = isAway || fate === 'hears nothing' || network.loses(place, process.name)
        world.after(network.delayMs(place, process.name), process, () =>
          isLost ? fail('refused the connection') : settle(() => resolve(value as T)),
        )
      })
    }
    if (fate !== 'stalls') {
      send()
      return
    }
    steps?.stall(process)
    world.after(0, process, send)
  })
}
