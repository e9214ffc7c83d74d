import { Counter, Gauge, Histogram, latencyBuckets, type Registry } from '@almanac/shared'

export type NodeMetrics = ReturnType<typeof createNodeMetrics>

/** Seconds of a fit: from a short series to the wall limit. */
const fitBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]

/** Of a phase of a table: from a small file to the wall limit. */
const tableBuckets = [0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600]

/** Of a look, which is over within its limit or not at all. */
const lookBuckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20]

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
    attempts: new Counter({
      name: 'almanac_job_attempts_total',
      help: 'Attempts at jobs that this node claimed, by kind and by what came of them.',
      labelNames: ['kind', 'outcome'],
      registers,
    }),
    tables: new Counter({
      name: 'almanac_tables_total',
      help: 'Tries to read a table, by what came of them.',
      labelNames: ['outcome'],
      registers,
    }),
    tableRows: new Counter({
      name: 'almanac_table_rows_total',
      help: 'Rows of tables that were read to the end, by what came of them.',
      labelNames: ['outcome'],
      registers,
    }),
    tableSeconds: new Histogram({
      name: 'almanac_table_phase_seconds',
      help: 'Time of one phase of the reading of a table, by phase.',
      labelNames: ['phase'],
      buckets: tableBuckets,
      registers,
    }),
    lookSeconds: new Histogram({
      name: 'almanac_look_seconds',
      help: 'Time of a look at the beginning of a file, with the wait for it, by what came of it.',
      labelNames: ['outcome'],
      buckets: lookBuckets,
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
