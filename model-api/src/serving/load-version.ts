import { hash } from 'node:crypto'
import { type AnyModel, decodeModel, forecastModel, modelSizeBytes } from '@almanac/engine'
import {
  assert,
  Damaged,
  isRegression,
  limits,
  Missing,
  readShardIndex,
  type ShardIndex,
  type VersionRecord,
} from '@almanac/shared'
import type { Predict, RegressionModel } from '@almanac/tables/regress'
import type { NodeContext } from '../base/context.ts'
import { type DecodeReply, decodeAside, decodeRegressionAside } from './decode-aside.ts'

/** A version in memory, verified. */
export type LoadedVersion = LoadedModel | LoadedIndex | LoadedRegression

type Loaded = {
  readonly version: number
  readonly sizeBytes: number
  /** Of the stored bytes: tells answers of this content from any other. */
  readonly sha256: string
  /** Of its forecasts; undefined: none. */
  readonly bounds: VersionRecord['bounds'] | undefined
}

/** A version of one series, warmed. */
export type LoadedModel = Loaded & {
  readonly kind: 'one'
  readonly model: AnyModel
  readonly calendar: VersionRecord['calendar']
}

/** A version of many series: their models are read when they are asked for. */
export type LoadedIndex = Loaded & { readonly kind: 'many'; readonly index: ShardIndex }

/** A version that predicts rows. */
export type LoadedRegression = Loaded & { readonly kind: 'rows'; readonly predict: Predict }

/** What of a node is needed to load. */
export type LoadContext = Pick<NodeContext, 'store' | 'clock' | 'metrics' | 'largeLoads'>

/** A version that will not get better by trying again. */
export class Unloadable extends Error {
  override name = 'Unloadable'
}

/** Steps of the forecast that warms a version: enough to reach every part of the computation. */
const warmSteps = 8
const warmQuantiles = Float64Array.of(0.1, 0.9)

/**
 * Reads what the version's record names, compares checksums, decodes, and computes one forecast; of
 * many series it reads the index alone. Rejects with `Unloadable`, or `Unavailable` while the store does not answer.
 */
export async function loadVersion(
  context: LoadContext,
  record: VersionRecord,
  signal: AbortSignal,
): Promise<LoadedVersion> {
  const { clock, metrics } = context
  const startedMs = clock.monotonicMs()
  const observe = (outcome: string) => {
    metrics.loads.inc({ outcome })
    metrics.loadSeconds.observe({ outcome }, (clock.monotonicMs() - startedMs) / 1_000)
  }
  try {
    const loaded = await load(context, record, signal)
    observe('loaded')
    return loaded
  } catch (error) {
    observe(error instanceof Unloadable ? 'unloadable' : 'interrupted')
    throw error
  }
}

async function load(
  context: LoadContext,
  record: VersionRecord,
  signal: AbortSignal,
): Promise<LoadedVersion> {
  if (isRegression(record.spec)) return await loadRegression(context, record, signal)
  return record.series === undefined
    ? await loadModel(context, record, signal)
    : await loadIndex(context, record, signal)
}

async function loadIndex(
  { store }: LoadContext,
  record: VersionRecord,
  signal: AbortSignal,
): Promise<LoadedIndex> {
  const { version, blob, sha256, sizeBytes, bounds } = record
  assert(blob !== null && sha256 !== null && sizeBytes !== null, 'only stored versions are loaded')
  signal.throwIfAborted()
  const ref = { blob, sha256, sizeBytes }
  const index = await readShardIndex(store, ref, signal).catch(throwUnloadable)
  return { kind: 'many', version, index, sizeBytes, sha256, bounds }
}

async function loadRegression(
  context: LoadContext,
  record: VersionRecord,
  signal: AbortSignal,
): Promise<LoadedRegression> {
  const { version, sha256, bounds } = record
  const read = async (): Promise<RegressionModel> => {
    const bytes = await readBytes(context, record, signal)
    const isSmall = bytes.byteLength < limits.loadJitterBytesMax
    const found = isSmall ? bytes : await decodeRegressionAside(bytes, signal)
    const sum = found instanceof Uint8Array ? hash('sha256', found, 'hex') : found.sha256
    if (sum !== sha256) throw otherBytes(sum, sha256)
    const decoded = found instanceof Uint8Array ? decodeRegression(found) : found.decoded
    if ('fault' in decoded) throw new Unloadable(`undecodable: ${decoded.fault}`)
    return decoded
  }
  // Only who has a regression loads what that takes.
  const { decodeRegression, makePredict, regressionSizeBytes } = await import(
    '@almanac/tables/regress'
  )
  const isLarge = (record.sizeBytes ?? 0) >= limits.loadJitterBytesMax
  const model = isLarge ? await context.largeLoads.run(read) : await read()
  const sizeBytes = regressionSizeBytes(model)
  const predict = makePredict(model, bounds)
  return { kind: 'rows', version, sizeBytes, sha256: sha256!, bounds, predict }
}

async function loadModel(
  context: LoadContext,
  record: VersionRecord,
  signal: AbortSignal,
): Promise<LoadedModel> {
  const isLarge = (record.sizeBytes ?? 0) >= limits.loadJitterBytesMax
  const read = () => readModel(context, record, signal)
  // Large ones one after the other: the bytes and the model are in memory at the same time.
  const model = isLarge ? await context.largeLoads.run(read) : await read()
  const { version, calendar, bounds } = record
  const ask = { horizon: warmSteps, quantiles: warmQuantiles, ...(bounds ? { bounds } : {}) }
  const warmed = forecastModel(model, ask)
  if (warmed.kind === 'refused')
    throw new Unloadable(`no-forecast: ${warmed.reason.code}: ${warmed.reason.detail}`)
  if (!warmed.value.point.every(Number.isFinite))
    throw new Unloadable('no-forecast: the forecast is not finite')
  const sizeBytes = modelSizeBytes(model)
  return { kind: 'one', version, model, sizeBytes, sha256: record.sha256!, bounds, calendar }
}

/** What was read is there, and is not what was stored. */
function throwUnloadable(error: unknown): never {
  if (error instanceof Damaged) throw new Unloadable(`checksum: ${error.message}`)
  if (error instanceof Missing) throw new Unloadable(`missing: ${error.message}`)
  throw error
}

async function readBytes(
  { store }: LoadContext,
  { blob, sha256 }: VersionRecord,
  signal: AbortSignal,
): Promise<Uint8Array> {
  assert(blob !== null && sha256 !== null, 'only stored versions are loaded')
  signal.throwIfAborted()
  return await store.readBlob({ kind: 'model', id: blob }, signal).catch(throwUnloadable)
}

const otherBytes = (sha256: string, wanted: string | null) =>
  new Unloadable(`checksum: the stored bytes have ${sha256}, the version ${wanted}`)

async function readModel(
  context: LoadContext,
  record: VersionRecord,
  signal: AbortSignal,
): Promise<AnyModel> {
  const { sha256 } = record
  const decoded = await decode(await readBytes(context, record, signal), signal)
  if (decoded.sha256 !== sha256) throw otherBytes(decoded.sha256, sha256)
  if (decoded.kind === 'model') return decoded.model
  const { code, detail } = decoded.reason
  throw new Unloadable(`undecodable: ${code}: ${detail}`)
}

/** By what is there, not by what the record says: that may be wrong, and time is at stake. */
async function decode(bytes: Uint8Array, signal: AbortSignal): Promise<DecodeReply> {
  if (bytes.byteLength >= limits.loadJitterBytesMax && bytes.buffer instanceof ArrayBuffer)
    return await decodeAside(bytes as Uint8Array<ArrayBuffer>, signal)
  const sha256 = hash('sha256', bytes, 'hex')
  const decoded = decodeModel(bytes)
  return decoded.kind === 'refused'
    ? { kind: 'refused', sha256, reason: decoded.reason }
    : { kind: 'model', sha256, model: decoded.value }
}
