import {
  codecs,
  limits,
  type ModelName,
  modelId,
  Refused,
  Unavailable,
  type VersionRecord,
  versionKey,
} from '@almanac/shared'
import type { NodeContext } from '../base/context.ts'
import { bounds } from '../config/bounds.ts'
import { type LoadedVersion, loadVersion, Unloadable } from './load-version.ts'
import type { ModelsView } from './view.ts'

/**
 * A version that does not serve is given up after so long. A small one in the time of a request;
 * a large one goes on loading when nobody waits any more, and whoever asks again finds it.
 */
const loadTimeoutMs = (sizeBytes: number) =>
  Math.ceil(limits.storeCallMs + sizeBytes / bytesPerMsMin)

/** A store that is slower than 8 MB a second is as good as away. */
const bytesPerMsMin = 8_000
/** Of what is kept on demand; the last one stays, however large it is. */
const keptBytesMax = limits.blobBytesMax

/** Stored versions that nobody placed here, for requests that name them: a few, the latest used. */
export class OnDemandVersions {
  readonly #context: NodeContext
  readonly #view: ModelsView
  readonly #loaded = new Map<string, LoadedVersion>()
  readonly #loading = new Map<string, Promise<LoadedVersion | undefined>>()

  constructor(context: NodeContext, view: ModelsView) {
    this.#context = context
    this.#view = view
  }

  /** Only looks. A version of a deleted model is not found. */
  find(of: ModelName, version: number): LoadedVersion | undefined {
    const key = keyOf(of, version)
    const loaded = this.#loaded.get(key)
    if (loaded === undefined) return undefined
    this.#loaded.delete(key)
    if (this.#deleted(of, version)) return undefined
    this.#loaded.set(key, loaded)
    return loaded
  }

  /**
   * Loads it, once for all who ask at the same time. Undefined when it is not a stored version of
   * a live model. Throws a 503 while the store is away or too much is being loaded, and a 422-like
   * refusal when it cannot be loaded at all.
   */
  async load(of: ModelName, version: number): Promise<LoadedVersion | undefined> {
    const key = keyOf(of, version)
    const found = this.find(of, version)
    if (found) return found
    const loading = this.#loading.get(key) ?? this.#begin(key, of, version)
    return loading
  }

  #begin(key: string, of: ModelName, version: number): Promise<LoadedVersion | undefined> {
    if (this.#loading.size >= bounds.onDemandLoadsMax)
      throw new Refused(503, 'busy', 'Too many versions are being loaded.', {
        retryAfterSeconds: 1,
      })
    const loading = this.#read(of, version).finally(() => this.#loading.delete(key))
    this.#loading.set(key, loading)
    return loading
  }

  async #read(of: ModelName, version: number): Promise<LoadedVersion | undefined> {
    if (this.#deleted(of, version)) return undefined
    const deadline = AbortSignal.timeout(limits.storeCallMs)
    const record = await this.#record(of, version, deadline)
    if (record?.state !== 'stored') return undefined
    const signal = AbortSignal.timeout(loadTimeoutMs(record.sizeBytes ?? 0))
    try {
      const loaded = await loadVersion(this.#context, record, signal)
      this.#keep(keyOf(of, version), loaded)
      return loaded
    } catch (error) {
      if (error instanceof Unloadable) throw new Refused(500, 'unloadable', error.message)
      if (error instanceof Unavailable || signal.aborted)
        throw new Refused(503, 'store-away', 'The version cannot be read at present.', {
          retryAfterSeconds: 1,
        })
      throw error
    }
  }

  /** The view may be behind: what it does not know is read from the coordinator. */
  async #record(
    of: ModelName,
    version: number,
    signal: AbortSignal,
  ): Promise<VersionRecord | undefined> {
    const seen = this.#view.state.versions.get(modelId(of))?.get(version)?.value
    if (seen?.state === 'stored') return seen
    try {
      const entry = await this.#context.coordinator.get(versionKey(of, version), signal)
      const decoded = entry && codecs.version.decode(entry.value)
      return decoded?.ok ? decoded.value : undefined
    } catch (error) {
      if (error instanceof Unavailable || signal.aborted) return undefined
      throw error
    }
  }

  #deleted(of: ModelName, version: number): boolean {
    const record = this.#view.state.models.get(modelId(of))?.value
    return record !== undefined && (record.deletedAt !== null || version <= record.floor)
  }

  #keep(key: string, loaded: LoadedVersion): void {
    this.#loaded.set(key, loaded)
    let bytes = 0
    for (const { sizeBytes } of this.#loaded.values()) bytes += sizeBytes
    for (const [oldest, { sizeBytes }] of this.#loaded) {
      const isWithin = this.#loaded.size <= limits.onDemandModelsMax && bytes <= keptBytesMax
      if (isWithin || this.#loaded.size === 1) break
      this.#loaded.delete(oldest)
      bytes -= sizeBytes
    }
    this.#context.metrics.loadedVersions.set({ kind: 'on-demand' }, this.#loaded.size)
  }
}

const keyOf = (of: ModelName, version: number) => `${modelId(of)}@${version}`
