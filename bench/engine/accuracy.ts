import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { accuracyReport, printAccuracy } from './contest.ts'
import { oursOf, peersOf } from './contestants.ts'
import { judgesOf } from './scoring.ts'
import { everyNth, readSplits, resultFiles } from './splits.ts'

/**
 * Scores some of our specs beside peers whose forecasts are kept in a folder:
 *
 *     node bench/engine/accuracy.ts --spec '{"family":"ets"}' [--spec …] [--every 10]
 *       [--collections m1,tourism,real] [--frequency M,Q,Y] [--peers FILE,FILE] [--splits FILE]
 *       [--json FILE]
 *
 * The folder is ALMANAC_BENCH_PEERS: `splits.jsonl` and `results-*.jsonl` as `peers.py` writes
 * them. A peer is scored on the splits that it has; ratios are taken where both have a forecast.
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
const ours = values.spec.map((text) => (text === 'default' ? undefined : JSON.parse(text)))
const peers = await peersOf(files, judges)
const report = accuracyReport([...peers, ...ours.map((spec: unknown) => oursOf(spec, judges))])
printAccuracy(report)
if (values.json !== undefined) await writeFile(values.json, JSON.stringify(report))
