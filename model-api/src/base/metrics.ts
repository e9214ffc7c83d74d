import { Counter, Gauge, Histogram, latencyBuckets, type Registry } from '@almanac/shared'

export type NodeMetrics = ReturnType<typeof createNodeMetrics>

/** Seconds of a fit: from a short series to the wall limit. */
const fitBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]

export function createNodeMetrics(registry: Registry) {
  const registers = [registry]
  return {
    fits: new Counter({
      name: 'almanac_fits_total',
      help: 'Fits that this node claimed, by what came of them.',
      labelNames: ['outcome'],
      registers,
    }),
    fitSeconds: new Histogram({
      name: 'almanac_fit_seconds',
      help: 'Time from the claim of a fit to its end, by what came of it.',
      labelNames: ['outcome'],
      buckets: fitBuckets,
      registers,
    }),
    shards: new Counter({
      name: 'almanac_shards_total',
      help: 'Shards of fits and of backtests that this node claimed, by what came of them.',
      labelNames: ['outcome'],
      registers,
    }),
    fitsBusy: new Gauge({
      name: 'almanac_fits_busy',
      help: 'Fits under way or queued in this node.',
      labelNames: ['state'],
      registers,
    }),
    loads: new Counter({
      name: 'almanac_model_loads_total',
      help: 'Tries to load a version, by what came of them.',
      labelNames: ['outcome'],
      registers,
    }),
    loadSeconds: new Histogram({
      name: 'almanac_model_load_seconds',
      help: 'Time to read, verify, decode and warm a version.',
      labelNames: ['outcome'],
      buckets: latencyBuckets,
      registers,
    }),
    loadedVersions: new Gauge({
      name: 'almanac_loaded_versions',
      help: 'Versions in memory: placed ones and those loaded on demand.',
      labelNames: ['kind'],
      registers,
    }),
    loadedBytes: new Gauge({
      name: 'almanac_loaded_bytes',
      help: 'Memory of the placed versions, as the engine estimates it.',
      registers,
    }),
    shardLoads: new Counter({
      name: 'almanac_shard_loads_total',
      help: 'Shards of versions with many series read from the store, by what came of it.',
      labelNames: ['outcome'],
      registers,
    }),
    shardLoadSeconds: new Histogram({
      name: 'almanac_shard_load_seconds',
      help: 'Time to read, verify and decode a shard, without the wait for its turn.',
      buckets: latencyBuckets,
      registers,
    }),
    shardBytes: new Gauge({
      name: 'almanac_shard_bytes',
      help: 'Memory of the shards that are kept.',
      registers,
    }),
    servingVersion: new Gauge({
      name: 'almanac_serving_version',
      help: 'The version of a model that serves, as this node sees it.',
      labelNames: ['model'],
      registers,
    }),
    forecasts: new Counter({
      name: 'almanac_forecasts_total',
      help: 'Forecasts answered, computed or from the cache.',
      labelNames: ['from'],
      registers,
    }),
    registrations: new Counter({
      name: 'almanac_registrations_total',
      help: 'Leases under which this node registered: more than one means that one was lost.',
      registers,
    }),
  }
}
