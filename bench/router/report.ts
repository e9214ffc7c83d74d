import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { type Measured, spread } from '../measure.ts'
import { median } from '../statistics.ts'

export type Result = { readonly name: string; readonly runs: readonly Measured[] }

type Ratio = { readonly of: string; readonly by: string; readonly wanted: number | undefined }

/** What is compared, and the least that is wanted. */
const ratios: readonly Ratio[] = [
  { of: 'broker, from its memory', by: 'nginx to nginx', wanted: 1 },
  { of: 'node:http, from memory', by: 'nginx to nginx', wanted: undefined },
  { of: 'fastify, from memory', by: 'nginx to nginx', wanted: undefined },
  { of: 'broker, to node', by: 'nginx to node', wanted: 0.5 },
  { of: 'broker, to node', by: 'fastify with undici, to node', wanted: 0.95 },
  { of: 'broker, to node', by: 'node:http with undici, to node', wanted: undefined },
]

export function summaryOf(results: readonly Result[], plan: object) {
  const runsOf = (name: string) => results.find((result) => result.name === name)?.runs ?? []
  return {
    conditions: { ...plan, ...conditions() },
    results,
    ratios: ratios.map(({ of, by, wanted }) => {
      const pairs = runsOf(of).map((one, i) => one.perSecond / (runsOf(by)[i]?.perSecond ?? 0))
      const [least, most] = [Math.min(...pairs), Math.max(...pairs)]
      return { of, by, median: median(pairs), least, most, wanted }
    }),
  }
}

export function report({ conditions, results, ratios }: ReturnType<typeof summaryOf>): void {
  const line = (cells: readonly string[]) => process.stdout.write(`| ${cells.join(' | ')} |\n`)
  process.stdout.write(`\n${JSON.stringify(conditions)}\n\n`)
  line(['front', 'requests/s, median', 'min – max', 'p50 ms', 'p99 ms', 'CPU µs/request'])
  line(['---', '---', '---', '---', '---', '---'])
  for (const { name, runs } of results)
    line([
      name,
      median(runs.map((run) => run.perSecond)).toFixed(0),
      spread(runs.map((run) => run.perSecond)),
      median(runs.map((run) => run.p50Ms)).toFixed(2),
      median(runs.map((run) => run.p99Ms)).toFixed(2),
      median(runs.map((run) => run.cpuMicros)).toFixed(1),
    ])
  process.stdout.write('\n')
  line(['ratio, median of pairs (least – most)', '', 'wanted'])
  line(['---', '---', '---'])
  for (const { of, by, median: middle, least, most, wanted } of ratios)
    line([
      `${of} / ${by}`,
      `${middle.toFixed(2)} (${least.toFixed(2)} – ${most.toFixed(2)})`,
      wanted === undefined ? '' : `≥ ${wanted}`,
    ])
}

function conditions() {
  const version = (command: string, ...args: string[]) => {
    try {
      return execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' }).trim()
    } catch (error) {
      // wrk tells its version and fails.
      return String((error as { stdout?: string }).stdout ?? 'unknown').split('\n', 1)[0]
    }
  }
  return {
    at: new Date().toISOString(),
    commit: version('git', 'rev-parse', '--short', 'HEAD'),
    processor: cpus()[0]?.model,
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: release(),
    node: process.version,
    wrk: version('wrk', '-v'),
    loadAtEnd: loadavg()[0]?.toFixed(2),
  }
}
