import type { AnySpec } from '@almanac/engine'
import {
  type BacktestSettings,
  encodeBacktestInput,
  isRegression,
  type JobRecord,
  limits,
  modelId,
  Refused,
  type Store,
} from '@almanac/shared'
import type { Bounds } from '../config/bounds.ts'
import type { AllocateParts } from './allocate.ts'
import { dataOfVersion, type VersionData } from './backtest-data.ts'
import { createSoleJobs, type SoleAsked, type SoleJobs, type SoleParts } from './sole-jobs.ts'

type BacktestAsked = SoleAsked & {
  /** Null: that of the version. */
  readonly spec: AnySpec | null
  readonly settings: BacktestSettings
}

export type Backtests = SoleJobs<BacktestAsked>

export type BacktestsParts = SoleParts & {
  readonly store: Store
  readonly bounds: AllocateParts['bounds'] & Bounds
}

/** `begin` throws `Refused` where the version or its data is not there. */
export function createBacktests(parts: BacktestsParts): Backtests {
  return createSoleJobs(parts, async (asked) => {
    const data = await dataOfVersion(parts, asked.of, asked.version)
    mustHaveSeries(data, asked)
    mustBeLongEnough(data, asked)
    const shards = data.shards.flatMap((shard) => partsOf(shard, data, asked))
    const input = await storeInput(parts, asked, { ...data, shards })
    return { job: jobRecord(parts, asked, shards.length, input), when: data.when }
  })
}

function mustHaveSeries({ version }: VersionData, { of }: BacktestAsked): void {
  if (!isRegression(version.spec)) return
  const detail = `Version ${version.version} of ${of.model} predicts rows, and has no series to go back in.`
  throw new Refused(422, 'a-regression', detail, {
    field: '/version',
    remedy: 'Name a version of series, or predict rows whose target is known, and compare.',
  })
}

/** Of one series it is known before anything is begun; of many each is told by its code. */
function mustBeLongEnough(
  { kind, steps, version }: VersionData,
  { settings }: BacktestAsked,
): void {
  const { horizon, windows, step } = settings
  const held = horizon + (windows - 1) * step
  if (kind === 'many' || held < steps) return
  const detail = `Version ${version.version} has ${steps} observations; this backtest holds ${held} of them back.`
  throw new Refused(422, 'too-short', detail, {
    field: '/windows',
    remedy: 'Ask for fewer windows, a smaller step, or a shorter horizon.',
  })
}

/**
 * A fit at each origin is as many fits of a shard: cut into parts, none of them takes a node's
 * thread for much longer than a fit does, and others have their turn.
 */
function partsOf(
  shard: VersionData['shards'][number],
  { kind, shards }: VersionData,
  { settings: { mode, windows } }: BacktestAsked,
): VersionData['shards'] {
  const most = mode === 'update' || kind === 'one' ? 1 : windows
  const worth = Math.ceil(shard.series / limits.backtestPartSeries)
  const count = Math.max(1, Math.min(most, worth, Math.floor(limits.shardsMax / shards.length)))
  if (count === 1) return [shard]
  return Array.from({ length: count }, (_, at) => ({ ...shard, part: { at, of: count } }))
}

async function storeInput(
  { store, bounds, mintId }: BacktestsParts,
  { of, spec }: BacktestAsked,
  { kind, shards, version }: VersionData,
): Promise<string> {
  const within = version.bounds ? { bounds: version.bounds } : {}
  const known = { format: 1, kind, spec: spec ?? version.spec, ...within } as const
  const content = encodeBacktestInput({ ...known, shards: [...shards] })
  if (content.byteLength > limits.shardIndexBytesMax) {
    const detail = `Version ${version.version} of ${of.model} is made of too many updates of many series.`
    throw new Refused(422, 'too-many-updates', detail, {
      field: '/version',
      remedy: 'Fit the model again with all of its data, and judge that version.',
    })
  }
  const id = mintId()
  const signal = AbortSignal.timeout(bounds.storeCallMs * 2)
  await store.writeBlob({ kind: 'dataset', id, content, label: modelId(of) }, signal)
  return id
}

function jobRecord(
  { clock, mintId }: BacktestsParts,
  { of, version, settings, requestId, why }: BacktestAsked,
  shards: number,
  input: string,
): JobRecord {
  return {
    id: mintId(),
    kind: 'backtest',
    subject: { ...of, version },
    state: 'queued',
    attempts: 0,
    progress: { phase: 'queued', fraction: 0 },
    error: null,
    requestId,
    createdAt: clock.wallTime(),
    endedAt: null,
    shards,
    ...(why === undefined ? {} : { why }),
    backtest: { settings, input, result: null, scores: null },
  }
}
