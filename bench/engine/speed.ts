import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { encodeModel, parseSpec, type Series } from '../../engine/src/index.ts'
import { fitManyInWorkers } from '../../engine/workers/index.ts'
import { median } from '../statistics.ts'
import { atLeast, atMost, type Gate } from './gates.ts'
import { fitAndForecast, horizon, monthly, season, secondsOf, secondsSince } from './one-fit.ts'
import { workMax } from './our-forecasts.ts'
import { openPeerProcess, type PeerProcess, type SpeedRequest } from './peer-process.ts'
import { figure, table } from './table.ts'

type Race = {
  readonly name: string
  readonly spec: Readonly<Record<string, unknown>>
  readonly peers: readonly string[]
  readonly ratioMin: number
  /** Series of one round: enough for seconds of CPU time of the peers. */
  readonly count: number
}

const races: readonly Race[] = [
  { name: 'theta', spec: { family: 'theta' }, peers: ['AutoTheta'], ratioMin: 5, count: 100 },
  { name: 'ets', spec: { family: 'ets' }, peers: ['AutoETS'], ratioMin: 6, count: 30 },
  {
    name: 'arima select',
    spec: { family: 'arima', select: true },
    peers: ['AutoARIMA'],
    ratioMin: 5,
    count: 6,
  },
  {
    name: 'automatic',
    spec: { family: 'automatic' },
    peers: ['AutoETS', 'AutoCES', 'AutoARIMA', 'AutoTheta'],
    ratioMin: 5,
    count: 6,
  },
  { name: 'additive', spec: { family: 'additive' }, peers: ['Prophet'], ratioMin: 10, count: 10 },
]

const run = promisify(execFile)

export type SpeedOptions = {
  readonly python: string
  /** Monthly series of 60 values. */
  readonly months: readonly Float64Array[]
  /** Ten years of days. */
  readonly days: Float64Array
  readonly rounds: number
  /** Whether every round runs through all series. */
  readonly isFull: boolean
  /** Only these races; all unless told otherwise. */
  readonly only?: readonly string[]
}

type RaceResult = {
  readonly name: string
  readonly ratios: readonly number[]
  readonly oursMs: number
  readonly peersMs: number
  readonly coldOursSeconds: number
  readonly coldPeersSeconds: number
  readonly aicc: { readonly count: number; readonly ours: number; readonly peer: number }
}

export async function measureSpeed(
  options: SpeedOptions,
): Promise<{ results: RaceResult[]; gates: Gate[] }> {
  const results: RaceResult[] = []
  const gates: Gate[] = []
  const peers = openPeerProcess(options.python)
  try {
    for (const race of races) {
      if (options.only?.includes(race.name) === false) continue
      const parsed = parseSpec(race.spec)
      if (parsed.kind === 'refused') {
        console.log(`${race.name}: skipped: ${parsed.reason.detail}`)
        gates.push(atLeast(gateName(race), Number.NaN, race.ratioMin))
        continue
      }
      const result = await runRace(race, peers, options)
      console.log(`${race.name}: ${figure(median(result.ratios), 1)} ×`)
      results.push(result)
      gates.push(atLeast(gateName(race), median(result.ratios), race.ratioMin))
    }
    gates.push(...(await measureLongArima(peers, options)))
  } finally {
    await peers.close()
  }
  gates.push(...measureTenYears(options), ...(await measureWorkers(options)))
  return { results, gates }
}

export function printSpeed(results: readonly RaceResult[]): void {
  const rows = results.map((result) => [
    result.name,
    `${figure(median(result.ratios), 1)} ×`,
    `${figure(Math.min(...result.ratios), 1)}–${figure(Math.max(...result.ratios), 1)}`,
    figure(result.oursMs, 2),
    figure(result.peersMs, 1),
    figure(result.coldOursSeconds, 2),
    figure(result.coldPeersSeconds, 2),
    result.aicc.count === 0 ? '' : figure(result.aicc.ours, 1),
    result.aicc.count === 0 ? '' : figure(result.aicc.peer, 1),
    result.aicc.count === 0 ? '' : String(result.aicc.count),
  ])
  const head = ['60 months', 'ratio', 'spread', 'ours ms', 'peers ms', 'cold s', 'peers cold s']
  console.log(`\n${table([...head, 'Σ AICc', 'peer’s Σ', 'of'], rows)}`)
  console.log(
    'CPU time of a fit and a forecast with bounds, warm; cold: a new process with one series.\n' +
      'Σ AICc: each at its own differences; of ETS without the constants of the likelihood, as R has it.',
  )
}

function gateName({ name, peers }: Race): string {
  return `${name}: times as fast as ${peers.join(' + ')}, warm`
}

async function runRace(race: Race, peers: PeerProcess, options: SpeedOptions): Promise<RaceResult> {
  const { months, rounds, isFull } = options
  const count = isFull ? Math.floor(months.length / rounds) : race.count
  const warmUp = months.slice(-Math.min(count, 20))
  for (let i = 0; i < 3; i++) oursOn(race, warmUp)
  for (const peer of race.peers) await peers.ask(requestOf(peer, warmUp.slice(0, 3)))

  const ratios: number[] = []
  let [oursSeconds, peersSeconds] = [0, 0]
  const aicc = { count: 0, ours: 0, peer: 0 }
  for (let round = 0; round < rounds; round++) {
    const slice = months.slice(round * count, (round + 1) * count)
    const ours = oursOn(race, slice)
    let theirs = 0
    for (const peer of race.peers) {
      const answer = await peers.ask(requestOf(peer, slice))
      theirs += answer.cpuSeconds
      if (race.peers.length > 1) continue
      for (const [i, value] of answer.aicc.entries()) {
        const own = ours.aicc[i]
        if (value === null || own === undefined || !Number.isFinite(own)) continue
        aicc.count++
        aicc.ours += own
        aicc.peer += value
      }
    }
    ratios.push(theirs / ours.cpuSeconds)
    oursSeconds += ours.cpuSeconds
    peersSeconds += theirs
  }
  const perFit = 1_000 / (rounds * count)
  return {
    name: race.name,
    ratios,
    oursMs: oursSeconds * perFit,
    peersMs: peersSeconds * perFit,
    coldOursSeconds: await coldOurs(race.spec, months[0]!),
    coldPeersSeconds: await coldPeers(options.python, race.peers, months[0]!),
    aicc,
  }
}

function oursOn(race: Race, slice: readonly Float64Array[]) {
  const before = process.cpuUsage()
  const aicc = slice.map((y) => fitAndForecast(race.spec, monthly(y)).aicc)
  return { cpuSeconds: secondsSince(before), aicc }
}

function requestOf(model: string, slice: readonly Float64Array[]): SpeedRequest {
  const series = slice.map((y) => Array.from(y))
  return { model, season, horizon, series, start: '2000-01-01', rule: 'MS' }
}

/** CPU time of a new process that fits and forecasts one series. */
async function coldOurs(spec: unknown, y: Float64Array): Promise<number> {
  const script = join(import.meta.dirname, 'cold.ts')
  const given = [script, JSON.stringify(spec), JSON.stringify(Array.from(y))]
  const { stdout } = await run(process.execPath, given, { timeout: 60_000 })
  return Number(stdout)
}

async function coldPeers(
  python: string,
  models: readonly string[],
  y: Float64Array,
): Promise<number> {
  const peers = openPeerProcess(python)
  try {
    let seconds = Number.NaN
    for (const model of models) seconds = (await peers.ask(requestOf(model, [y]))).processSeconds
    return seconds
  } finally {
    await peers.close()
  }
}

async function measureLongArima(peers: PeerProcess, { days, rounds }: SpeedOptions) {
  const spec = { family: 'arima', p: 7, d: 0, q: 1, differenceLag: 365, constant: false }
  const difference = Array.from(days.slice(365), (value, i) => value - days[i]!)
  const request = { model: 'ARIMA', order: [7, 0, 1], season: 1, horizon, series: [difference] }
  fitAndForecast(spec, { y: days })
  await peers.ask(request)
  const [ours, theirs]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    ours.push(secondsOf(() => fitAndForecast(spec, { y: days })))
    theirs.push((await peers.ask(request)).cpuSeconds)
  }
  const label = `ARIMA(7,0,1) on ${difference.length} points, CPU s (statsforecast ${figure(median(theirs))})`
  return [atMost(label, median(ours), 0.15)]
}

function measureTenYears({ days, rounds }: SpeedOptions): Gate[] {
  const spec = { family: 'automatic' }
  const parsed = parseSpec(spec)
  if (parsed.kind === 'refused') {
    console.log(`automatic on ten years of days: skipped: ${parsed.reason.detail}`)
    return [atMost('ten years of days, automatic: CPU s', Number.NaN, 1)]
  }
  const step = { kind: 'calendar', unit: 'day', count: 1 } as const
  const calendar = { start: Date.UTC(1981, 0, 1), step }
  const series: Series = { y: days, seasons: [7, 365], calendar }
  let bytes = Number.NaN
  const seconds = Array.from({ length: rounds }, () =>
    secondsOf(() => {
      bytes = encodeModel(fitAndForecast(spec, series, 30).model).length
    }),
  )
  return [
    atMost('ten years of days, automatic: CPU s', median(seconds), 1),
    atMost('ten years of days, automatic: kB', bytes / 1_000, 100),
  ]
}

/** Thrice all series: a worker's start costs half a second, which a batch of seconds would show. */
async function measureWorkers({ months, rounds }: SpeedOptions): Promise<Gate[]> {
  const batch = [...months, ...months, ...months].map(monthly)
  const ratios: number[] = []
  for (let round = 0; round < rounds; round++) {
    const [one, two] = [await wallSeconds(batch, 1), await wallSeconds(batch, 2)]
    ratios.push(one / two)
  }
  const label = `two workers by one, ets, ${batch.length} series, wall time`
  return [atLeast(label, median(ratios), 1.7)]
}

async function wallSeconds(batch: readonly Series[], workers: number): Promise<number> {
  const before = performance.now()
  const outcomes = fitManyInWorkers(batch, { family: 'ets' }, { seed: 1, workMax }, { workers })
  for await (const outcome of outcomes) {
    if (outcome.kind === 'refused') throw new Error(outcome.reason.detail)
  }
  return (performance.now() - before) / 1_000
}
