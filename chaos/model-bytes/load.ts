import { Gate } from '../../model-api/src/base/gate.ts'
import { createNodeMetrics } from '../../model-api/src/base/metrics.ts'
import { loadVersion } from '../../model-api/src/serving/load-version.ts'
import { Registry, systemClock } from '../../shared/src/index.ts'
import { storeOver } from '../../shared/src/store/store.ts'
import { rowsOf, type Stored } from './stored.ts'

const metrics = createNodeMetrics(new Registry())
const { signal } = new AbortController()

/** Loads a version as a node does before it serves it: what came of it. */
export async function loadStored(stored: Stored): Promise<'loaded' | Error> {
  const store = storeOver(rowsOf(stored))
  const context = { store, clock: systemClock, metrics, largeLoads: new Gate(1) }
  return await loadVersion(context, stored.record, signal).then(
    () => 'loaded' as const,
    (error: Error) => error,
  )
}
