import {
  Counter,
  createTimes,
  Gauge,
  Histogram,
  latencyBuckets,
  type Registry,
} from '@almanac/shared'

export type BrokerMetrics = ReturnType<typeof createBrokerMetrics>

/** What a broker counts. Gauges are read when they are asked for. */
export function createBrokerMetrics(registry: Registry) {
  const registers = [registry]
  const counter = (name: string, help: string) => new Counter({ name, help, registers })
  return {
    cacheHits: counter('almanac_cache_hits_total', 'Forecasts answered from kept responses.'),
    cacheMisses: counter('almanac_cache_misses_total', 'Forecasts that a node was asked for.'),
    retries: counter('almanac_retries_total', 'Forecasts that needed more than one try.'),
    refusals: counter('almanac_refused_forecasts_total', 'Forecasts refused for too much load.'),
    streams: new Gauge({
      name: 'almanac_forecast_streams',
      help: 'Answers of many series that are being sent.',
      registers,
    }),
    upstream: upstreamTimes(registry),
    uploads: new Counter({
      name: 'almanac_uploads_total',
      help: 'Files whose bytes began to come, by what came of them.',
      labelNames: ['outcome'],
      registers,
    }),
    uploadBytes: new Counter({
      name: 'almanac_upload_bytes_total',
      help: 'Bytes of files that came, by what came of the file.',
      labelNames: ['outcome'],
      registers,
    }),
    predictedRows: new Counter({
      name: 'almanac_prediction_rows_total',
      help: 'Rows that were asked of regressions, by what came of each.',
      labelNames: ['outcome'],
      registers,
    }),
    jobsEnded: new Counter({
      name: 'almanac_jobs_ended_total',
      help: 'Jobs that this broker ended, by kind and by why; others are ended by nodes.',
      labelNames: ['kind', 'outcome'],
      registers,
    }),
    scheduleRuns: new Counter({
      name: 'almanac_schedule_runs_total',
      help: 'Runs of schedules that this broker recorded, by what came of them and who asked.',
      labelNames: ['outcome', 'by'],
      registers,
    }),
    rollouts: new Counter({
      name: 'almanac_rollout_steps_total',
      help: 'Steps of rollouts that this broker tried, by what came of them.',
      labelNames: ['step', 'outcome'],
      registers,
    }),
    retrainings: new Counter({
      name: 'almanac_retrainings_total',
      help: 'Models found decayed by this broker, by whether their fit began, was refused or waits.',
      labelNames: ['outcome'],
      registers,
    }),
    fits: new Counter({
      name: 'almanac_fit_requests_total',
      help: 'Fits that this broker accepted, by how the request that began them was answered.',
      labelNames: ['outcome'],
      registers,
    }),
    fitSeconds: new Histogram({
      name: 'almanac_fit_request_seconds',
      help: 'Time from a fit request to the end of its waiting, by its outcome.',
      labelNames: ['outcome'],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
      registers,
    }),
  }
}

/** Told of each run of a schedule. */
export const countRun =
  ({ scheduleRuns }: Pick<BrokerMetrics, 'scheduleRuns'>) =>
  (outcome: string, by: string): void =>
    scheduleRuns.inc({ outcome, by })

function upstreamTimes(registry: Registry) {
  const times = createTimes(registry, {
    name: 'almanac_upstream_seconds',
    help: 'Time of one try at a node, by what came of it.',
    buckets: latencyBuckets,
  })
  const observers = new Map<string, (seconds: number) => void>()
  return (outcome: string, seconds: number) => {
    const known = observers.get(outcome)
    if (known) return known(seconds)
    const observer = times({ outcome })
    observers.set(outcome, observer)
    return observer(seconds)
  }
}

/** A gauge whose value is looked up at every scrape. */
export function gauge(registry: Registry, name: string, help: string, look: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(look())
    },
  })
}

/** The same with one value for each of some labels. */
export function gauges(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  look: () => ReadonlyMap<string, number>,
): void {
  new Gauge({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset()
      for (const [value, count] of look()) this.set({ [label]: value }, count)
    },
  })
}
