import {
  type ClusterState,
  limits,
  type ModelRecord,
  type NodeModelRecord,
  type VersionRecord,
} from '@almanac/shared'
import type { NodeContext } from '../base/context.ts'
import { Gate } from '../base/gate.ts'
import { retryWaitMs } from '../base/patience.ts'
import { Wake } from '../base/wake.ts'
import { bounds } from '../config/bounds.ts'
import { checkShards } from './check-shards.ts'
import { type LoadedVersion, loadVersion, Unloadable } from './load-version.ts'
import type { ModelsView } from './view.ts'
import { type Former, nextFormers, nothingWanted, type Wanted, wantedVersions } from './wanted.ts'

type Failure = { readonly reason: string; readonly retriable: boolean }

/** One version that is wanted here: being loaded, loaded, or failed. */
type Slot = {
  readonly stop: AbortController
  loaded: LoadedVersion | undefined
  failure: Failure | undefined
}

type PlacedOptions = {
  /** Without it nothing is wanted. */
  readonly serves: boolean
  /** Told when there may be news to register. */
  readonly onChange: () => void
  /**
   * What is done with a version before it is registered; `before` is the one that it is to follow,
   * where there is one. Rejects with `Unloadable` where it must not serve.
   */
  readonly warm: (
    id: string,
    loaded: LoadedVersion,
    before: LoadedVersion | undefined,
    signal: AbortSignal,
  ) => Promise<void>
}

type Place = {
  readonly slots: Map<number, Slot>
  formers: readonly Former[]
  serving: number | null
  wanted: Wanted
}

/**
 * The versions that the cluster wants on this node, kept in memory by a reconcile loop: a model is
 * looked at after every change of it, after every load, and at least every `reconcileMs`.
 */
export class PlacedVersions {
  readonly #context: NodeContext
  readonly #view: ModelsView
  readonly #serves: boolean
  readonly #warm: PlacedOptions['warm']
  readonly #onChange: () => void
  readonly #places = new Map<string, Place>()
  readonly #gate = new Gate(bounds.loadsAtOnceMax)
  readonly #wake: Wake
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  /** Models to look at; all of them when a snapshot came or a look at all is due. */
  readonly #due = new Set<string>()
  #allDueMs = Number.NEGATIVE_INFINITY
  /** Models of which there may be something else to register than when it was last asked for. */
  #news = new Set<string>()
  readonly #metered = new Set<string>()
  #loadedCount = 0
  #loadedBytes = 0
  #looked = false

  constructor(context: NodeContext, view: ModelsView, options: PlacedOptions) {
    this.#context = context
    this.#view = view
    this.#serves = options.serves
    this.#onChange = options.onChange
    this.#warm = options.warm
    this.#wake = new Wake(context.clock)
    view.onChange((touched) => {
      if (touched.all) this.#allDueMs = Number.NEGATIVE_INFINITY
      for (const id of touched.models) this.#due.add(id)
      this.#wake.signal()
    })
    this.#running = this.#run()
  }

  find(id: string, version: number): LoadedVersion | undefined {
    return this.#places.get(id)?.slots.get(version)?.loaded
  }

  /** Whether everything wanted is loaded, or failed for good. */
  settled(): boolean {
    if (!this.#looked) return false
    for (const { slots, wanted } of this.#places.values()) {
      for (const version of wanted.load) {
        const slot = slots.get(version)
        // Without a slot there is no readable record of a stored version: nothing to wait for.
        if (slot && !slot.loaded && slot.failure?.retriable !== false) return false
      }
    }
    return true
  }

  /** Models of which there may be something else to tell the cluster since this was last asked. */
  takeNews(): ReadonlySet<string> {
    const news = this.#news
    this.#news = new Set()
    return news
  }

  /** What to tell the cluster about a model; undefined: nothing. */
  registration(id: string): NodeModelRecord | undefined {
    const place = this.#places.get(id)
    if (place === undefined) return undefined
    const loaded: number[] = []
    const failed: NodeModelRecord['failed'] = []
    for (const [version, slot] of place.slots) {
      if (slot.loaded) loaded.push(version)
      else if (slot.failure)
        failed.push({ version, ...slot.failure, reason: slot.failure.reason.slice(0, 500) })
    }
    if (loaded.length + failed.length === 0) return undefined
    loaded.sort((a, b) => a - b)
    failed.sort((a, b) => a.version - b.version)
    return { instance: this.#context.instance, loaded, failed }
  }

  /** For operators: what every model asks for and what came of it. */
  describe(): readonly object[] {
    return [...this.#places].map(([model, { slots, serving, wanted, formers }]) => ({
      model,
      serving,
      wanted: [...wanted.load],
      kept: formers.map(({ version }) => version),
      versions: [...slots].map(([version, { loaded, failure }]) => ({
        version,
        state: loaded ? 'loaded' : failure ? 'failed' : 'loading',
        ...failure,
      })),
    }))
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    for (const { slots } of this.#places.values())
      for (const slot of slots.values()) slot.stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, timing, logger } = this.#context
    while (!this.#stop.signal.aborted) {
      try {
        if (this.#view.started()) this.#look()
      } catch (error) {
        logger.error({ event: 'reconcile-failed', err: error })
      }
      const untilAllMs = this.#allDueMs - clock.monotonicMs()
      const waitMs = Math.min(timing.reconcileMs, Math.max(1, untilAllMs))
      await this.#wake.wait(this.#looked ? waitMs : timing.reconcileMs, this.#stop.signal)
    }
  }

  #look(): void {
    const { clock, timing, metrics } = this.#context
    const nowMs = clock.monotonicMs()
    const models = this.#serves ? this.#view.state.models : nothing
    if (nowMs >= this.#allDueMs) {
      for (const id of models.keys()) this.#due.add(id)
      for (const id of this.#places.keys()) this.#due.add(id)
      this.#allDueMs = nowMs + timing.reconcileMs
    }
    const due = [...this.#due]
    this.#due.clear()
    for (const id of due) this.#lookAt(id, models.get(id)?.value, nowMs)
    this.#looked = true
    metrics.loadedVersions.set({ kind: 'placed' }, this.#loadedCount)
    metrics.loadedBytes.set(this.#loadedBytes)
    this.#onChange()
  }

  #lookAt(id: string, record: ModelRecord | undefined, nowMs: number): void {
    const place = this.#places.get(id) ?? emptyPlace()
    const to = record?.deletedAt === null ? record.serving : null
    place.formers = nextFormers(place.formers, { from: place.serving, to }, nowMs, {
      graceMs: this.#context.timing.versionGraceMs,
      countMax: bounds.formerVersionsMax,
    })
    place.serving = to
    place.wanted = wantedVersions(record, place.formers, nowMs)
    this.#places.set(id, place)
    this.#fetchMissing(id, place)
    if (!this.#view.stale()) this.#dropUnwanted(id, place)
    this.#meter(id, to)
    this.#news.add(id)
  }

  #fetchMissing(id: string, place: Place): void {
    const records = this.#view.state.versions.get(id)
    for (const version of place.wanted.load) {
      const record = records?.get(version)?.value
      if (record?.state !== 'stored' || place.slots.has(version)) continue
      const slot: Slot = { stop: new AbortController(), loaded: undefined, failure: undefined }
      place.slots.set(version, slot)
      this.#fill(id, slot, record).catch((error) => {
        if (!slot.stop.signal.aborted)
          this.#context.logger.error({ event: 'load-failed', model: id, version, err: error })
      })
    }
  }

  #dropUnwanted(id: string, place: Place): void {
    for (const [version, slot] of place.slots) {
      if (place.wanted.keep.has(version)) continue
      slot.stop.abort()
      place.slots.delete(version)
      if (slot.loaded) this.#count(-1, slot.loaded)
      this.#context.logger.info({ event: 'version-dropped', model: id, version })
    }
    const over = place.slots.size === 0 && place.wanted === nothingWanted
    if (over) this.#places.delete(id)
  }

  /** Loads one version; while the store is away it tries on, and tells. */
  async #fill(id: string, slot: Slot, record: VersionRecord): Promise<void> {
    const { clock, random, logger } = this.#context
    const { signal } = slot.stop
    const small = (record.sizeBytes ?? 0) < limits.loadJitterBytesMax
    if (this.#looked && small) await clock.sleep(random() * limits.loadJitterMs, signal)
    const { version } = record
    for (let tries = 1; ; tries++) {
      try {
        const load = () => loadVersion(this.#context, record, signal)
        // Large ones have a line of their own: small ones do not wait behind them.
        const loaded = await (small ? this.#gate.run(load) : load())
        await this.#prepare(id, loaded, signal)
        // A version that is not wanted any more is not kept, and not counted.
        signal.throwIfAborted()
        slot.loaded = loaded
        slot.failure = undefined
        this.#count(1, loaded)
        logger.info({ event: 'version-loaded', model: id, version })
        break
      } catch (error) {
        signal.throwIfAborted()
        const reason = error instanceof Error ? error.message : String(error)
        const retriable = !(error instanceof Unloadable)
        const news = slot.failure?.reason !== reason
        slot.failure = { reason, retriable }
        if (news) logger.warn({ event: 'version-not-loaded', model: id, version, reason })
        this.#lookSoon(id)
        if (!retriable) break
        await clock.sleep(retryWaitMs(tries, random), signal)
      }
    }
    this.#lookSoon(id)
  }

  /** What serves already is served as it is: to be in doubt of a part of it would cost the rest. */
  async #prepare(id: string, loaded: LoadedVersion, signal: AbortSignal): Promise<void> {
    const { serving, target } = this.#view.state.models.get(id)?.value ?? {}
    const isNext = loaded.version === target && target !== serving
    const before = isNext && serving ? this.find(id, serving) : undefined
    if (isNext && loaded.kind === 'many') {
      const known = before?.kind === 'many' ? before.index : undefined
      await checkShards(this.#context.store, loaded.index, known, signal)
    }
    await this.#warm(id, loaded, before, signal)
  }

  #lookSoon(id: string): void {
    this.#due.add(id)
    this.#wake.signal()
  }

  #count(by: 1 | -1, { sizeBytes }: LoadedVersion): void {
    this.#loadedCount += by
    this.#loadedBytes += by * sizeBytes
  }

  #meter(id: string, serving: number | null): void {
    const { servingVersion } = this.#context.metrics
    if (serving === null) {
      if (this.#metered.delete(id)) servingVersion.remove({ model: id })
    } else if (this.#metered.has(id) || this.#metered.size < bounds.meteredModelsMax) {
      this.#metered.add(id)
      servingVersion.set({ model: id }, serving)
    }
  }
}

const nothing: ClusterState['models'] = new Map()

function emptyPlace(): Place {
  return { slots: new Map(), formers: [], serving: null, wanted: nothingWanted }
}
