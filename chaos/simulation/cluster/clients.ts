import { hash } from 'node:crypto'
import { encodeDataset, type JobRecord, modelId, Refused } from '@almanac/shared'
import { answer, questionOf } from '../../../broker/src/api/forecasts.ts'
import type { Allocated } from '../../../broker/src/jobs/allocate.ts'
import { cancelJob } from '../../../broker/src/jobs/cancel.ts'
import { fitOutcome } from '../../../broker/src/jobs/fit-outcome.ts'
import type { FitData } from '../../../broker/src/jobs/store-data.ts'
import { putRetraining } from '../../../broker/src/retraining/edit.ts'
import { deleteModel, release, rollBack } from '../../../broker/src/rollout/control.ts'
import type { Ask } from '../../../broker/src/routing/ask.ts'
import { putSchedule } from '../../../broker/src/schedules/edit.ts'
import type {
  FitRecord,
  FitRequest,
  ForecastRecord,
  ForecastRequest,
  JobEndRecord,
  ToldRecord,
} from '../check/records.ts'
import type { Request } from '../schedule/plan.ts'
import type { BrokerProcess } from './broker-process.ts'
import type { Cluster } from './cluster.ts'
import { createExchange, type Sent } from './exchange.ts'
import { newsOf, parsedSpec, seriesOf, shardsOf } from './fitter.ts'
import { fileOf, recipe, regression } from './table-file.ts'

export type ClientParts = {
  readonly cluster: Cluster
  readonly onForecast: (record: ForecastRecord, view: ViewOfBroker) => void
  readonly onFit: (record: FitRecord) => void
  readonly onTold: (record: ToldRecord) => void
  /** Of cancels that were answered, and of backtests that were accepted. */
  readonly onJob: (record: JobEndRecord) => void
  /** The newest job of the fit of this value, and what was asked for then. */
  readonly jobOf: (value: number) => { job: JobRecord; request: FitRequest } | undefined
  /** Requests that were sent and are not answered, by the process that has them. */
  readonly open: Set<{ readonly broker: BrokerProcess }>
  /** Whether what failed is sent again. */
  readonly areStubborn: () => boolean
}

/** What the broker thought served, when it was asked and when it answered. */
export type ViewOfBroker = {
  readonly before: number | undefined
  readonly after: number | undefined
}

/** Sends a request to a broker that can take it; nothing is recorded where the answer gets lost. */
export function send(parts: ClientParts, request: Request): void {
  const { cluster } = parts
  const { world } = cluster.around
  const broker = cluster.brokers.get(request.broker)
  if (!broker?.assembly || broker.process.state !== 'running' || broker.isDraining) {
    if (request.kind === 'fit') sendElsewhere(parts, request)
    return
  }
  if (!broker.assembly.api.isReady()) return
  world.within(broker.process, () => {
    if (request.kind === 'forecast') sendForecast(parts, broker, request)
    else if (request.kind === 'fit') sendFit(parts, broker, request)
    else if (request.kind === 'rule') sendRule(parts, broker, request)
    else if (request.kind === 'schedule') sendSchedule(parts, broker, request)
    else if (request.kind === 'backtest') sendBacktest(parts, broker, request)
    else if ('value' in request) sendToJob(parts, broker, request)
    else sendChange(parts, broker, request)
  })
}

function sendForecast(parts: ClientParts, broker: BrokerProcess, request: ForecastRequest): void {
  const { world } = parts.cluster.around
  const { api } = broker.assembly!
  const { model, horizon, version, series, patienceMs } = request
  const plain: Ask = { tenant: 'default', model, horizon, query: '', version, atLeast: null }
  const ask =
    series === undefined
      ? plain
      : { ...plain, series, query: `series=${encodeURIComponent(series)}` }
  const { name, incarnation, troubles } = broker.process
  const sentMs = world.nowMs
  const now = () => api.forecaster.versionNow({ ...ask, version: 'serving' })
  const before = now()
  const isOpen = { broker }
  parts.open.add(isOpen)
  const done = ({ status, version: of, body }: Sent) => {
    parts.open.delete(isOpen)
    if (broker.process.troubles !== troubles) return
    const outcome: ForecastRecord['outcome'] =
      status === 200 && of !== null
        ? { kind: 'answer', version: of, body }
        : { kind: 'refused', status, why: body }
    const doneMs = world.nowMs
    const record = { request, broker: `${name}.${incarnation}`, sentMs, doneMs, outcome }
    world.trace(() => `forecast ${JSON.stringify(record)}`)
    parts.onForecast(record, { before, after: now() })
  }
  const { exchange, leave } = createExchange(done)
  answer(api, questionOf(ask, '/'), exchange)
  if (patienceMs === null || !parts.open.has(isOpen)) return
  world.after(patienceMs, broker.process, () => {
    if (!parts.open.delete(isOpen)) return
    world.trace(() => `a client leaves ${patienceMs} ms after it asked for ${model}`)
    leave()
  })
}

function dataOf({ value, shards, table }: FitRequest): FitData {
  if (table) return { kind: 'table', file: fileOf({ value, shards: shards ?? 1 }), recipe }
  if (shards !== undefined) return shardsOf(value, shards)
  const dataset = Uint8Array.from(encodeDataset(seriesOf(value)))
  return { kind: 'one', dataset, observations: 4 }
}

function sendFit(parts: ClientParts, broker: BrokerProcess, request: FitRequest): void {
  const { world } = parts.cluster.around
  const { model, value, key, adds, table, refit } = request
  const spec = table === 'rows' ? regression : parsedSpec()
  const input = {
    of: { tenant: 'default', model },
    requestId: 'request',
    idempotency: key === null ? null : { hash: sha256(key), body: sha256(`${model} ${value}`) },
  }
  const isOpen = { broker }
  parts.open.add(isOpen)
  const done = (outcome: FitRecord['outcome']) => {
    parts.open.delete(isOpen)
    if (broker.process.state === 'dead') return
    const record = { request, doneMs: world.nowMs, outcome }
    world.trace(() => `fit ${JSON.stringify(record)}`)
    parts.onFit(record)
    if (outcome.kind === 'refused') sendElsewhere(parts, request)
  }
  const { fits } = broker.assembly!.api
  const making = () => {
    if (refit) return fits.refit({ ...input, mustHaveFile: async () => {} })
    return adds === undefined
      ? fits.begin({ ...input, data: dataOf(request), spec })
      : fits.add({ ...input, news: newsOf(value, adds), base: null })
  }
  making().then(
    (allocated) => {
      const { job, version } = allocated
      done({ kind: 'accepted', job, version })
      awaitFit(parts, broker, request, allocated)
    },
    (error) => done({ kind: 'refused', why: refusalOf(error).why }),
  )
  // A client that hears nothing for long asks again, which only a key makes harmless.
  world.after(impatientMs, undefined, () => {
    if (broker.process.state !== 'running') sendElsewhere(parts, request)
  })
}

/** Waits for the end of a fit, as the route does that took it. */
function awaitFit(
  parts: ClientParts,
  broker: BrokerProcess,
  request: FitRequest,
  { job, version, revision }: Allocated,
): void {
  const { api } = broker.assembly!
  const of = { tenant: 'default', model: request.model }
  const isOpen = { broker }
  parts.open.add(isOpen)
  const look = () => fitOutcome(api.state(), { of, version, job, revision })
  const { signal } = new AbortController()
  api.waiters.until(modelId(of), look, api.bounds.fitWaitMs, signal).then((outcome) => {
    parts.open.delete(isOpen)
    if (broker.process.state === 'dead') return
    parts.onTold({ request, version, doneMs: parts.cluster.around.world.nowMs, outcome })
  })
}

const impatientMs = 2_000

/** Repeats a fit with a key at the next broker, after a while; the same fit, whoever takes it. */
function sendElsewhere(parts: ClientParts, request: FitRequest): void {
  const { cluster } = parts
  if (request.key === null || !parts.areStubborn()) return
  const names = [...cluster.brokers.keys()]
  const next = names[(names.indexOf(request.broker) + 1) % names.length]!
  const repeats = request.repeats ?? 0
  if (repeats >= repeatsMax) return
  const again = { ...request, broker: next, repeats: repeats + 1 }
  cluster.around.world.after(repeatMs, undefined, () => {
    if (parts.areStubborn()) send(parts, again)
  })
}

const repeatMs = 700
const repeatsMax = 5

function sendToJob(
  parts: ClientParts,
  broker: BrokerProcess,
  request: Of<'cancel' | 'retry'>,
): void {
  if (request.kind === 'cancel') sendCancel(parts, broker, request)
  else sendRetry(parts, broker, request)
}

/** Its end is then written, whatever its workers do. */
function sendCancel(
  parts: ClientParts,
  broker: BrokerProcess,
  { value }: Of<'cancel' | 'retry'>,
): void {
  const { api } = broker.assembly!
  const { job } = parts.jobOf(value) ?? {}
  if (job === undefined) return
  track(parts, broker, `the cancel of ${value}`, cancelJob(api, job.id, api.who), (done) => {
    if (done) parts.onJob({ kind: 'cancelled', job: job.id })
  })
}

function sendRetry(
  parts: ClientParts,
  broker: BrokerProcess,
  { value }: Of<'cancel' | 'retry'>,
): void {
  const { fits } = broker.assembly!.api
  const { job, request } = parts.jobOf(value) ?? {}
  if (job === undefined || request === undefined) return
  const made = fits.retry({ job, requestId: 'retry', idempotency: null })
  track(parts, broker, `the retry of ${value}`, made, (allocated) => {
    const { job: id, version } = allocated
    const again = { ...request, key: null }
    const outcome = { kind: 'accepted', job: id, version } as const
    parts.onFit({ request: again, doneMs: parts.cluster.around.world.nowMs, outcome })
    awaitFit(parts, broker, again, allocated)
  })
}

function sendBacktest(
  parts: ClientParts,
  broker: BrokerProcess,
  { model, mode }: Of<'backtest'>,
): void {
  const { api } = broker.assembly!
  const of = { tenant: 'default', model }
  const version = api.state().models.get(modelId(of))?.value.serving
  if (version == null) return
  const settings = { horizon: 1, windows: 2, step: 1, levels: [80], mode, season: 1 }
  const asked = { of, version, spec: null, settings, requestId: 'backtest', idempotency: null }
  track(parts, broker, `the backtest of ${version}`, api.backtests.begin(asked), ({ job }) =>
    parts.onJob({ kind: 'backtest', job }),
  )
}

/** A rule of retraining: who does not hear of it says it again, which changes nothing. */
function sendRule(parts: ClientParts, broker: BrokerProcess, request: Of<'rule'>): void {
  const { api } = broker.assembly!
  const { model, liveMase, observations, restSeconds } = request
  const asked = { liveMase, observations, restSeconds, enabled: true }
  const made = putRetraining(api, { tenant: 'default', model }, asked, api.clock.wallTime())
  track(parts, broker, `the rule of ${model}`, made, () => {})
}

function sendSchedule(parts: ClientParts, broker: BrokerProcess, request: Of<'schedule'>): void {
  const { api } = broker.assembly!
  const { name, model, action, enabled } = request
  const given = action === 'refit' ? { refit: { model } } : { backtest: { model, ...trial } }
  const asked = { cron: '* * * * *', timezone: 'UTC', action: given, enabled }
  const made = putSchedule(api, { tenant: 'default', name }, asked, api.clock.wallTime())
  track(parts, broker, `the schedule ${name}`, made, () => {})
}

const trial = { horizon: 1, windows: 2 }

type Of<K extends Request['kind']> = Extract<Request, { kind: K }>

/** A request whose answer matters only where a client still hears it. */
function track<T>(
  parts: ClientParts,
  broker: BrokerProcess,
  name: string,
  making: Promise<T>,
  onDone: (value: T) => void,
): void {
  const { world } = parts.cluster.around
  const isOpen = { broker }
  parts.open.add(isOpen)
  making.then(
    (value) => {
      parts.open.delete(isOpen)
      if (broker.process.state === 'dead') return
      world.trace(() => `${name} is done`)
      onDone(value)
    },
    (error) => {
      parts.open.delete(isOpen)
      const { status, why } = refusalOf(error)
      world.trace(() => `${name}: ${why}`)
      if (status === 500) parts.onJob({ kind: 'broken', what: `${name}: ${why}` })
    },
  )
}

function sendChange(
  parts: ClientParts,
  broker: BrokerProcess,
  request: Of<'rollback' | 'release' | 'delete'>,
): void {
  const { world } = parts.cluster.around
  const { api } = broker.assembly!
  const of = { tenant: 'default', model: request.model }
  const change = {
    rollback: () => rollBack(api, of, undefined),
    release: () => release(api, of),
    delete: () => deleteModel(api, of),
  }[request.kind]
  change().then(
    () => world.trace(() => `${request.kind} of ${request.model} is done`),
    (error) => world.trace(() => `${request.kind} of ${request.model}: ${refusalOf(error).why}`),
  )
}

function refusalOf(error: unknown): { readonly status: number; readonly why: string } {
  if (error instanceof Refused)
    return { status: error.status, why: `${error.code}: ${error.message}` }
  const { name, message, stack } = error as Error
  if (name === 'Unavailable') return { status: 503, why: message }
  return { status: 500, why: stack ?? `${name}: ${message}` }
}

const sha256 = (text: string) => hash('sha256', text, 'hex')
