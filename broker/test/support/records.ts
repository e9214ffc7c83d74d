import type {
  Held,
  JobRecord,
  ModelRecord,
  NodeModelRecord,
  NodeRecord,
  VersionRecord,
} from '@almanac/shared'

const at = '2026-01-01T00:00:00.000Z'

/** Records with everything in place, for tests that care about one field. */
export const modelRecord = (change: Partial<ModelRecord> = {}): ModelRecord => ({
  serving: null,
  target: null,
  previous: null,
  high: 0,
  hold: false,
  changes: 0,
  floor: 0,
  why: 'fit',
  createdAt: at,
  deletedAt: null,
  ...change,
})

export const versionRecord = (
  version: number,
  state: VersionRecord['state'] = 'stored',
  change: Partial<VersionRecord> = {},
): VersionRecord => ({
  version,
  state,
  job: `job-${version}`,
  spec: {},
  dataset: { blob: `data-${version}`, observations: 10 },
  blob: state === 'stored' ? `blob-${version}` : null,
  sha256: null,
  sizeBytes: null,
  error: null,
  metrics: {},
  times: { createdAt: at, fittingAt: null, storedAt: null, failedAt: null },
  ...change,
})

export const jobRecord = (id: string, change: Partial<JobRecord> = {}): JobRecord => ({
  id,
  kind: 'fit',
  subject: { tenant: 'default', model: 'm', version: 1 },
  state: 'queued',
  attempts: 0,
  progress: { phase: 'queued', fraction: 0 },
  error: null,
  requestId: 'r',
  createdAt: at,
  endedAt: null,
  ...change,
})

export const nodeRecord = (port: number, change: Partial<NodeRecord> = {}): NodeRecord => ({
  ip: '10.0.0.1',
  port,
  instance: `i-${port}`,
  roles: ['fit', 'serve'],
  capacity: { fits: 4, fitsBusy: 0 },
  protocol: 1,
  formats: [1],
  startedAt: at,
  ...change,
})

export const nodeModelRecord = (
  port: number,
  loaded: number[],
  failed: NodeModelRecord['failed'] = [],
): NodeModelRecord => ({ instance: `i-${port}`, loaded, failed })

export const held = <T>(value: T, modRevision = 1, createRevision = 1): Held<T> => ({
  value,
  text: JSON.stringify(value),
  createRevision,
  modRevision,
  lease: null,
})
