import type { Client } from 'cassandra-driver'
import { Bug } from '../../base/assert.ts'

/** What of the driver's control connection is used here; it is not part of its types. */
type ControlConnection = {
  _isShuttingDown: boolean
  _refresh: (hosts?: unknown) => Promise<void>
}

/** Long enough that a connection which breaks at once does not keep the process busy. */
const againMs = 250

/**
 * Has the driver search for a control connection once at a time, and go on after a fault. By itself
 * cassandra-driver 4.10 begins a second search next to the first when connections break in quick
 * succession: each takes away what the other has found, and the `TypeError` of that either ends the
 * process or the reconnecting for good (NODEJS-681).
 */
export function searchOnceAtATime(client: Client): void {
  const control = controlOf(client)
  const search = control._refresh.bind(control)
  let isUnderWay = false
  let isAskedAgain = false
  const begin = async () => {
    if (control._isShuttingDown) return
    isAskedAgain = isUnderWay
    if (isUnderWay) return
    isUnderWay = true
    // What went wrong is told by the calls that fail; the search only has to go on.
    await search().catch(() => {
      isAskedAgain = true
    })
    isUnderWay = false
    if (isAskedAgain) setTimeout(() => void control._refresh(), againMs).unref()
  }
  // With hosts given it is a search that goes on with its next host.
  control._refresh = (hosts) => (hosts === undefined ? begin() : search(hosts))
}

function controlOf(client: Client): ControlConnection {
  const { controlConnection: control } = client as unknown as {
    controlConnection?: ControlConnection
  }
  if (typeof control?._refresh === 'function') return control
  throw new Bug('this cassandra-driver has no ControlConnection._refresh')
}
