import { decodeShard, seriesAt } from '@almanac/engine'
import { type BlobRef, isRegression } from '@almanac/shared'
import { sweepGarbage } from '../../broker/src/jobs/garbage.ts'
import { judgeFits, judgeTold } from './check/judge-fits.ts'
import { type Judged, judgeForecasts } from './check/judge-forecasts.ts'
import { judgeGarbage } from './check/judge-garbage.ts'
import { judgeJobs } from './check/judge-jobs.ts'
import { judgeRefits } from './check/judge-refits.ts'
import { judgeShards } from './check/judge-shards.ts'
import { Ledger } from './check/ledger.ts'
import { createReachability } from './check/reachability.ts'
import type { Records } from './check/records.ts'
import { whatAils } from './check/wellness.ts'
import { type ClientParts, send } from './cluster/clients.ts'
import { Cluster } from './cluster/cluster.ts'
import type { FitCourse } from './cluster/fitter.ts'
import { tableOf } from './cluster/table-file.ts'
import type { Sabotage } from './etcd/etcd.ts'
import { applyFault } from './schedule/apply-fault.ts'
import type { Plan } from './schedule/plan.ts'
import { inWorld } from './world/globals.ts'
import type { Steps } from './world/steps.ts'
import { World } from './world/world.ts'

export type RunOptions = {
  readonly trace?: (line: string) => void
  readonly sabotage?: Sabotage
  readonly steps?: (cluster: Cluster) => Steps
}

export type RunResult = {
  readonly violations: readonly string[]
  readonly events: number
  readonly virtualMs: number
  /** Virtual time from the end of the faults until all was well. */
  readonly convergedMs: number
  readonly forecasts: number
  readonly fits: number
  readonly revisions: number
}

/** From the last fault until all must be well, and the time that a lease takes to end. */
const convergenceMs = 10_000
const leaseMs = 10_000

/** One schedule, from an empty cluster to a judgement. Not from within a promise's callback. */
export function runPlan(plan: Plan, options: RunOptions = {}): RunResult {
  const { seed, minuteInMs } = plan
  const world = new World({ seed, minuteInMs, trace: options.trace })
  try {
    return inWorld(world, () => new Run(world, plan, options).result())
  } finally {
    world.end()
  }
}

class Run {
  readonly #world: World
  readonly #plan: Plan
  readonly #cluster: Cluster
  readonly #ledger: Ledger
  readonly #records: Records = { forecasts: [], fits: [], told: [], jobs: [] }
  readonly #values = new Map<string, number>()
  readonly #violations: string[] = []
  readonly #clients: ClientParts
  #open: (() => void)[] = []
  #isOver = false

  constructor(world: World, plan: Plan, { sabotage, steps }: RunOptions) {
    this.#world = world
    this.#plan = plan
    this.#ledger = new Ledger(world)
    const courses = new Map<number, FitCourse>()
    for (const one of plan.requests) if (one.kind === 'fit') courses.set(one.value, one)
    const courseOf = (value: number) => courses.get(value) ?? { ms: 10, end: 'fitted' as const }
    const { seed, brokers, nodes } = plan
    // Processes begin to act within the constructor: what they are given has to be there.
    let decide: Steps | undefined
    const own: Steps = {
      fateOf: (process, what) => decide?.fateOf(process, what) ?? 'goes on',
      die: (process) => decide?.die(process),
      stall: (process) => decide?.stall(process),
    }
    this.#cluster = new Cluster({
      ...{ world, seed, brokers, nodes, courseOf, sabotage },
      steps: steps && own,
    })
    decide = steps?.(this.#cluster)
    this.#observe()
    const reachability = createReachability(this.#cluster, this.#ledger, plan)
    this.#clients = {
      cluster: this.#cluster,
      onForecast: (record, view) => {
        this.#records.forecasts.push(record)
        this.#violations.push(...reachability.judge(record, view))
      },
      onFit: (record) => this.#records.fits.push(record),
      onTold: (record) => this.#records.told.push(record),
      onJob: (record) => this.#records.jobs.push(record),
      jobOf: (value) => this.#jobOf(value),
      open: new Set(),
      areStubborn: () => !this.#isOver,
    }
  }

  result(): RunResult {
    const { safetyMs } = this.#plan
    for (const fault of this.#plan.faults)
      this.#world.after(Math.max(fault.atMs, 0.5), undefined, () => this.#begin(fault))
    for (const request of this.#plan.requests)
      this.#world.after(request.atMs, undefined, () => send(this.#clients, request))
    this.#world.run(safetyMs)
    this.#world.trace(() => 'all faults end')
    this.#endFaults()
    const convergedMs = this.#converge()
    this.#judge()
    this.#sweep()
    const { forecasts, fits } = this.#records
    return {
      violations: this.#violations,
      events: this.#world.events,
      virtualMs: this.#world.nowMs,
      convergedMs,
      forecasts: forecasts.length,
      fits: fits.length,
      revisions: this.#cluster.around.etcd.data.revision,
    }
  }

  #observe(): void {
    const { etcd, blobs } = this.#cluster.around
    etcd.onRevision((done) => this.#ledger.take(done))
    blobs.onFinished((ref) => this.#remember(ref))
    this.#ledger.onStored(({ dataset, blob }) => {
      const value = this.#values.get(dataset.blob)
      for (const fault of this.#plan.faults)
        if (fault.kind === 'damage' && fault.value === value && blob !== null)
          blobs.damage({ kind: 'model', id: blob }, fault.how)
    })
  }

  #remember(ref: BlobRef): void {
    const bytes = ref.kind === 'dataset' && this.#cluster.around.blobs.contentOf(ref)
    const value = bytes && numberIn(bytes, this.#values)
    if (typeof value === 'number') this.#values.set(ref.id, value)
  }

  #begin(fault: Plan['faults'][number]): void {
    if (this.#isOver) return
    this.#world.trace(() => `FAULT ${JSON.stringify(fault)}`)
    const end = applyFault(this.#cluster, fault)
    if (!('forMs' in fault)) return
    this.#open.push(end)
    this.#world.after(fault.forMs, undefined, () => {
      if (!this.#open.includes(end)) return
      this.#open = this.#open.filter((one) => one !== end)
      this.#world.trace(() => `FAULT OVER ${JSON.stringify(fault)}`)
      end()
    })
  }

  #endFaults(): void {
    this.#isOver = true
    for (const end of this.#open.splice(0)) end()
    for (const name of [...this.#cluster.nodes.keys(), ...this.#cluster.brokers.keys()]) {
      const { isDraining } = this.#cluster.nodes.get(name) ?? this.#cluster.brokers.get(name)!
      if (isDraining) this.#cluster.kill(name)
      this.#cluster.start(name)
    }
  }

  /** Runs on until all is well; what is still wrong at the end is a violation. */
  #converge(): number {
    const fromMs = this.#world.nowMs
    const endMs = fromMs + convergenceMs + leaseMs
    let ailment: string | undefined = 'nothing was looked at'
    while (ailment !== undefined && this.#world.nowMs < endMs) {
      this.#world.run(this.#world.nowMs + lookMs)
      ailment = this.#whatIsOpen() ?? whatAils(this.#cluster, this.#ledger)
    }
    if (ailment !== undefined)
      this.#violations.push(`after ${endMs - fromMs} ms without faults ${ailment}`)
    const convergedMs = this.#world.nowMs - fromMs
    this.#askEverybody()
    return convergedMs
  }

  /** A request that a living broker has not answered. */
  #whatIsOpen(): string | undefined {
    for (const { broker } of this.#clients.open)
      if (broker.process.state !== 'dead') return `${broker.process.name} owes an answer`
    return undefined
  }

  /** At the end every broker answers for every model that serves, with what serves. */
  #askEverybody(): void {
    const count = this.#records.forecasts.length
    let asked = 0
    for (const broker of this.#cluster.brokers.keys())
      for (const [id, { record, versions }] of this.#ledger.models) {
        if (record?.serving == null) continue
        const model = id.split('/')[1]!
        const version = versions.get(record.serving)
        if (isRegression(version?.spec)) continue
        const isWide = version?.series !== undefined
        send(this.#clients, {
          ...({ kind: 'forecast', broker, model, horizon: 10, version: 'serving' } as const),
          ...(isWide ? { series: 's=0.0' } : {}),
          ...{ atMs: this.#world.nowMs, patienceMs: null },
        })
        asked += 1
      }
    const isAnswered = () => this.#records.forecasts.length >= count + asked
    this.#world.run(this.#world.nowMs + 3_000, isAnswered)
    const answers = this.#records.forecasts.slice(count).filter(({ request, outcome }) => {
      const { record } = this.#ledger.model(`default/${request.model}`)
      return outcome.kind === 'answer' && outcome.version === record?.serving
    })
    if (answers.length !== asked)
      this.#violations.push(`at the end ${answers.length} of ${asked} forecasts are as they should`)
  }

  #jobOf(value: number) {
    const isOf = ({ request, outcome }: Records['fits'][number]) =>
      request.value === value && outcome.kind === 'accepted'
    const last = this.#records.fits.findLast(isOf)
    if (last?.outcome.kind !== 'accepted') return undefined
    const job = this.#ledger.jobs.get(last.outcome.job)
    return job && { job, request: last.request }
  }

  /** At the end all garbage is old enough, where nothing is damaged that names what is none. */
  #sweep(): void {
    const { requests, faults } = this.#plan
    const isMany = (one: Plan['requests'][number]) =>
      one.kind === 'fit' && (one.shards !== undefined || one.table !== undefined)
    if (!requests.some(isMany) || faults.some(({ kind }) => kind === 'damage')) return
    const [broker] = this.#cluster.brokers.values()
    const { api } = broker!.assembly!
    let isOver = false
    this.#world.within(broker!.process, () => {
      const bounds = { ...api.bounds, garbageAgeMs: Number.NEGATIVE_INFINITY }
      sweepGarbage({ ...api, bounds }, new AbortController().signal).then(
        () => {
          isOver = true
          this.#violations.push(...judgeGarbage(this.#ledger, this.#cluster.around.blobs))
        },
        (error) => this.#violations.push(`garbage cannot be swept: ${error}`),
      )
    })
    this.#world.run(this.#world.nowMs + 30_000, () => isOver)
    if (!isOver) this.#violations.push('garbage is not swept in 30 s')
  }

  #judge(): void {
    const judged: Judged = { ledger: this.#ledger, numberIn: (blob) => this.#values.get(blob) }
    this.#violations.push(
      ...this.#ledger.violations,
      ...judgeForecasts(this.#records.forecasts, judged),
      ...judgeFits(this.#records.fits, judged, this.#plan),
      ...judgeShards(judged, this.#cluster.around.blobs, this.#plan),
      ...judgeRefits(this.#ledger, this.#cluster.around.blobs),
      ...judgeJobs(this.#records.jobs, this.#ledger, this.#plan),
      ...this.#records.told.flatMap((record) => judgeTold(record, this.#ledger, this.#plan)),
      ...this.#world.uncaught.map((text) => `an error that ends its process: ${text}`),
    )
  }
}

const lookMs = 250

/** What a data set says again and again: a series, a shard, an index of shards, or a table. */
function numberIn(bytes: Uint8Array, known: ReadonlyMap<string, number>): number | undefined {
  const shard = decodeShard(bytes)
  if (shard.kind !== 'refused') return seriesAt(shard.value, 0).y[0]
  const text = Buffer.from(bytes).toString()
  // Reports and results are of no number.
  const { series, shards, file } =
    text.startsWith('{') && !text.includes('}\n') ? JSON.parse(text) : none
  if (file !== undefined) return tableOf(file).value
  if (Array.isArray(series)) return series[0].y[0]
  return shards?.[0]?.blob === undefined ? undefined : known.get(shards[0].blob)
}

const none = { series: undefined, shards: undefined, file: undefined }
