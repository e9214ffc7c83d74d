import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { accuracyReport, type Contestant, printAccuracy } from './contest.ts'
import { forecastSplits } from './our-forecasts.ts'
import { judgePeer, judgesOf } from './scoring.ts'
import { everyNth, readResults, readSplits, resultFiles } from './splits.ts'

/**
 * Scores some of our specs beside peers whose forecasts are kept in a folder:
 *
 *     node bench/engine/accuracy.ts --spec '{"family":"ets"}' [--spec …] [--every 10]
 *       [--collections m1,tourism,real] [--frequency M,Q,Y] [--peers FILE,FILE] [--splits FILE]
 *       [--json FILE]
 *
 * The folder is ALMANAC_BENCH_PEERS: `splits.jsonl` and `results-*.jsonl` as `peers.py` writes them.
 * A peer is scored on the splits that it has; ratios are taken where both have a forecast.
 */
const { values } = parseArgs({
  options: {
    spec: { type: 'string', multiple: true, default: [] },
    every: { type: 'string', default: '1' },
    collections: { type: 'string', default: 'm1,tourism,real' },
    frequency: { type: 'string' },
    peers: { type: 'string' },
    splits: { type: 'string' },
    json: { type: 'string' },
  },
})
const folder = process.env.ALMANAC_BENCH_PEERS ?? '.'
const collections = values.collections.split(',')
const frequencies = values.frequency?.split(',')
const all = await readSplits(values.splits ?? join(folder, 'splits.jsonl'))
const wanted = all.filter(
  ({ collection, frequency }) =>
    collections.includes(collection) && (frequencies?.includes(frequency) ?? true),
)
const sample = everyNth(wanted, Number(values.every))
const judges = judgesOf(sample)
console.log(`${judges.length} splits; ${sample.length - judges.length} without a scale left out`)

const files = values.peers?.split(',') ?? (await resultFiles(folder))
const contestants: Contestant[] = [...(await peersOf(files)), ...values.spec.map(oursOf)]
const report = accuracyReport(contestants)
printAccuracy(report)
if (values.json !== undefined) await writeFile(values.json, JSON.stringify(report))

async function peersOf(files: readonly string[]): Promise<Contestant[]> {
  const byId = new Map(judges.map((judge) => [judge.split.id, judge]))
  const peers = new Map<string, Contestant>()
  for (const result of await readResults(files)) {
    const split = byId.get(result.id)
    if (split === undefined) continue
    let peer = peers.get(result.model)
    if (peer === undefined) {
      peer = { name: result.model, isOurs: false, scored: [], failures: [] }
      peers.set(result.model, peer)
    }
    const scores = judgePeer(split, result)
    if ('fault' in scores) peer.failures.push({ id: result.id, fault: scores.fault })
    else peer.scored.push({ split, scores, cpuSeconds: result.cpuSeconds })
  }
  return [...peers.values()]
}

function oursOf(text: string): Contestant {
  const spec: unknown = text === 'default' ? undefined : JSON.parse(text)
  const shown = process.stderr.isTTY
  const { scored, failures, bytesMax } = forecastSplits(spec, judges, (done) => {
    if (shown && done % 10 === 0) process.stderr.write(`\r${text}: ${done} of ${judges.length} `)
  })
  if (shown) process.stderr.write('\n')
  return { name: `almanac ${shortName(spec)}`, isOurs: true, scored, failures, bytesMax }
}

/** The family, and what else the spec says. */
function shortName(spec: unknown): string {
  if (typeof spec !== 'object' || spec === null) return 'default'
  const { family, ...rest } = spec as Record<string, unknown>
  const said = Object.entries(rest).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return [String(family), ...said].join(' ')
}
