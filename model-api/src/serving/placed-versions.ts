import {
  type ClusterState,
  limits,
  type NodeModelRecord,
  type VersionRecord,
} from '@almanac/shared'
import type { NodeContext } from '../base/context.ts'
import { Gate } from '../base/gate.ts'
import { retryWaitMs } from '../base/patience.ts'
import { Wake } from '../base/wake.ts'
import { bounds } from '../config/bounds.ts'
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

type Place = {
  readonly slots: Map<number, Slot>
  formers: readonly Former[]
  serving: number | null
  wanted: Wanted
}

/**
 * The versions that the cluster wants on this node, kept in memory by a reconcile loop: looked at
 * after every change of `/models/`, after every load, and at least every `reconcileMs`.
 */
export class PlacedVersions {
  readonly #context: NodeContext
  readonly #view: ModelsView
  readonly #serves: boolean
  readonly #onChange: () => void
  readonly #places = new Map<string, Place>()
  readonly #gate = new Gate(bounds.loadsAtOnceMax)
  readonly #wake: Wake
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  #looked = false

  /**
   * Without `serves` nothing is wanted. `onChange` is told when what `registrations` gives may have
   * changed.
   */
  constructor(
    context: NodeContext,
    view: ModelsView,
    options: { readonly serves: boolean; readonly onChange: () => void },
  ) {
    this.#context = context
    this.#view = view
    this.#serves = options.serves
    this.#onChange = options.onChange
    this.#wake = new Wake(context.clock)
    view.onChange(() => this.#wake.signal())
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

  /** What to tell the cluster, by model id. */
  registrations(): Map<string, NodeModelRecord> {
    const records = new Map<string, NodeModelRecord>()
    for (const [id, { slots }] of this.#places) {
      const loaded: number[] = []
      const failed: NodeModelRecord['failed'] = []
      for (const [version, slot] of slots) {
        if (slot.loaded) loaded.push(version)
        else if (slot.failure)
          failed.push({ version, ...slot.failure, reason: slot.failure.reason.slice(0, 500) })
      }
      if (loaded.length + failed.length === 0) continue
      loaded.sort((a, b) => a - b)
      failed.sort((a, b) => a.version - b.version)
      records.set(id, { instance: this.#context.instance, loaded, failed })
    }
    return records
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
    const { timing, logger } = this.#context
    while (!this.#stop.signal.aborted) {
      try {
        if (this.#view.started()) this.#look()
      } catch (error) {
        logger.error({ event: 'reconcile-failed', err: error })
      }
      await this.#wake.wait(timing.reconcileMs, this.#stop.signal)
    }
  }

  #look(): void {
    const nowMs = this.#context.clock.monotonicMs()
    const models = this.#serves ? this.#view.state.models : nothing
    for (const id of new Set([...models.keys(), ...this.#places.keys()])) {
      const record = models.get(id)?.value
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
    }
    this.#looked = true
    this.#measure()
    this.#onChange()
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
        slot.loaded = await this.#gate.run(() => loadVersion(this.#context, record, signal))
        slot.failure = undefined
        logger.info({ event: 'version-loaded', model: id, version })
        break
      } catch (error) {
        signal.throwIfAborted()
        const reason = error instanceof Error ? error.message : String(error)
        const retriable = !(error instanceof Unloadable)
        const news = slot.failure?.reason !== reason
        slot.failure = { reason, retriable }
        if (news) logger.warn({ event: 'version-not-loaded', model: id, version, reason })
        this.#wake.signal()
        if (!retriable) break
        await clock.sleep(retryWaitMs(tries, random), signal)
      }
    }
    this.#wake.signal()
  }

  #measure(): void {
    const { loadedVersions, loadedBytes, servingVersion } = this.#context.metrics
    let count = 0
    let bytes = 0
    servingVersion.reset()
    let metered = 0
    for (const [id, { slots, serving }] of this.#places) {
      for (const { loaded } of slots.values()) {
        if (!loaded) continue
        count += 1
        bytes += loaded.sizeBytes
      }
      if (serving === null || metered >= bounds.meteredModelsMax) continue
      servingVersion.set({ model: id }, serving)
      metered += 1
    }
    loadedVersions.set({ kind: 'placed' }, count)
    loadedBytes.set(bytes)
  }
}

const nothing: ClusterState['models'] = new Map()

function emptyPlace(): Place {
  return { slots: new Map(), formers: [], serving: null, wanted: nothingWanted }
}
