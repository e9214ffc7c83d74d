import type { Contestant } from './contest.ts'
import { forecastSplits } from './our-forecasts.ts'
import { type Judge, judgePeer } from './scoring.ts'
import { readResults } from './splits.ts'

/** The peers of some files of results, each on the splits that it has. */
export async function peersOf(
  files: readonly string[],
  judges: readonly Judge[],
): Promise<Contestant[]> {
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

/** One of our specs; undefined is what is fitted when nobody gives one. */
export function oursOf(spec: unknown, judges: readonly Judge[]): Contestant {
  const name = `almanac ${shortName(spec)}`
  const shown = process.stderr.isTTY
  const { scored, failures, bytesMax } = forecastSplits(spec, judges, (done) => {
    if (shown && done % 10 === 0) process.stderr.write(`\r${name}: ${done} of ${judges.length} `)
  })
  if (shown) process.stderr.write('\n')
  return { name, isOurs: true, scored, failures, bytesMax }
}

/** The family, and what else the spec says. */
function shortName(spec: unknown): string {
  if (typeof spec !== 'object' || spec === null) return 'default'
  const { family, ...rest } = spec as Record<string, unknown>
  const said = Object.entries(rest).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return [String(family), ...said].join(' ')
}
