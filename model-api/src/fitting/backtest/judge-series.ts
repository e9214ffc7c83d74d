import {
  decodeShard,
  faultOfData,
  judgeShard,
  type KeyedVerdict,
  type KnownSeries,
  knownSeries,
  parseSpec,
  type Shard,
  type Trial,
} from '@almanac/engine'
import type { BacktestEntry, BacktestHead } from '@almanac/shared'
import { readDataset } from '../read-dataset.ts'
import { FitControl, type FitReply, type FitRequest, type TrialWork } from '../worker-protocol.ts'

/** The backtest of a shard of series, in the fitting thread: its result, or why there is none. */
export function judgeSeries(
  request: FitRequest,
  { trial, kind, later, part }: TrialWork,
): FitReply {
  const { id, dataset, spec: given, seed, workMax } = request
  const series = (kind === 'one' ? oneSeries : manySeries)([dataset, ...later])
  if ('fault' in series) return { kind: 'refused', id, code: 'bad-dataset', detail: series.fault }
  const spec = parseSpec(given)
  if (spec.kind === 'refused') {
    const { code, detail } = spec.reason
    return { kind: 'refused', id, code, detail }
  }
  const control = new FitControl(request.control)
  const { verdicts, steps, codes, isStopped } = judgeShard(
    partOf(series.known, part),
    spec.value,
    trial,
    {
      ...{ seed, workMax, passedOver: request.passedOver ?? new Map() },
      shouldStop: () => control.shouldStop(),
      onProgress: (fraction) => control.setProgress(fraction),
      onSeries: (place) => control.setPlace(place),
    },
  )
  if (isStopped) return { kind: 'stopped', id }
  const head: BacktestHead = {
    format: 1,
    steps: steps.map((step) => ({ ...step, inside: [...step.inside] })),
  }
  const lines = [head, ...verdicts.map((verdict) => entryOf(verdict, trial))]
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  return { kind: 'fitted-shard', id, shard: new TextEncoder().encode(text), codes }
}

function partOf<T>(all: readonly T[], { at, of }: TrialWork['part']): readonly T[] {
  const place = (n: number) => Math.floor((all.length * n) / of)
  return all.slice(place(at), place(at + 1))
}

type Known = { readonly known: readonly KnownSeries[] } | { readonly fault: string }

/** One series, and what came right after it. */
function oneSeries(sets: readonly Uint8Array[]): Known {
  const parts: (number | null)[][] = []
  let about = { start: '', frequency: '', timezone: '' }
  for (const [place, bytes] of sets.entries()) {
    const series = readDataset(bytes)
    if ('fault' in series) return series
    const { start, frequency, timezone } = series
    if (place === 0)
      about = { start: start ?? '', frequency: frequency ?? '', timezone: timezone ?? '' }
    parts.push(series.y)
  }
  const y = Float64Array.from(parts.flat(), (value) => value ?? Number.NaN)
  return { known: [{ key: '', ...about, y }] }
}

/** The series of a shard of data, and what shards of news added to them. */
function manySeries(sets: readonly Uint8Array[]): Known {
  const shards: Shard[] = []
  for (const bytes of sets) {
    const decoded = decodeShard(bytes)
    if (decoded.kind === 'refused') return { fault: decoded.reason.detail }
    const fault = faultOfData(decoded.value)
    if (fault !== undefined) return { fault }
    shards.push(decoded.value)
  }
  const [base, ...news] = shards
  return { known: knownSeries(base!, news) }
}

function entryOf(verdict: KeyedVerdict, { levels }: Trial): BacktestEntry {
  const { key, code, detail, windows, count, missing, season, scale, errors, coverage } = verdict
  return {
    key: key === '' ? null : key,
    ...{ code, detail, windows, count, missing, season, scale, ...errors },
    coverage: levels.map((level, at) => ({ level, coverage: coverage[at] ?? null })),
  }
}
