import type { FastifyInstance } from 'fastify'
import type { FitQueue } from '../fitting/fit-queue.ts'
import type { NodeIdentity } from '../registration/own-records.ts'
import type { PlacedVersions } from '../serving/placed-versions.ts'
import type { ModelsView } from '../serving/view.ts'

export type StateParts = {
  readonly identity: () => NodeIdentity
  readonly placed: PlacedVersions
  readonly view: ModelsView
  readonly queue: FitQueue | undefined
}

/** `GET /internal/v1/state`: for operators, what this node is, has, wants, and why not. */
export function addStateRoute(server: FastifyInstance, parts: StateParts): void {
  const { identity, placed, view, queue } = parts
  server.get('/state', async () => ({
    ...identity(),
    view: { revision: view.state.revision, started: view.started(), stale: view.stale() },
    settled: placed.settled(),
    fitsBusy: queue?.busy() ?? 0,
    models: placed.describe(),
  }))
}
