import type { AccuracyReport, GroupReport } from './contest.ts'
import { figure, table } from './table.ts'

/** Something that a release has to show, and what was measured. */
export type Gate = {
  readonly name: string
  readonly measured: number
  readonly wanted: string
  /** Undefined where there was nothing to measure. */
  readonly isReached: boolean | undefined
}

const rivals = ['AutoETS', 'AutoTheta', 'AutoARIMA', 'Prophet']
const peers = [...rivals, 'AutoCES']

export function atMost(name: string, measured: number, limit: number): Gate {
  const isReached = Number.isNaN(measured) ? undefined : measured <= limit
  return { name, measured, wanted: `≤ ${limit}`, isReached }
}

export function atLeast(name: string, measured: number, limit: number): Gate {
  const isReached = Number.isNaN(measured) ? undefined : measured >= limit
  return { name, measured, wanted: `≥ ${limit}`, isReached }
}

/** The gates of accuracy and of honest intervals, for one of our models. */
export function accuracyGates(report: AccuracyReport, ours: string): Gate[] {
  const pooled = report.groups.find(({ group }) => group.includes('pooled'))
  const single = report.groups.filter(({ isWhole }) => !isWhole)
  const competition = single.filter(({ group }) => !group.startsWith('real'))
  const real = single.filter(({ group }) => group.startsWith('real'))
  return [
    ...(pooled === undefined ? [] : pooledGates(pooled, ours)),
    ...competition.flatMap((group) => [
      atMost(`${group.group}: GM by the best peer`, worst(group, ours, peers, 'gm'), 1.03),
      atMost(`${group.group}: OWA by the best peer`, worst(group, ours, peers, 'owa'), 1.03),
      ...coverageGates(group, ours, 0.05, 0.03),
    ]),
    ...real.flatMap((group) => [
      atMost(`${group.group}: GM by the best peer`, worst(group, ours, peers, 'gm'), 1.05),
      atMost(
        `${group.group}: GM by seasonal naive`,
        worst(group, ours, ['SeasonalNaive'], 'gm'),
        1,
      ),
    ]),
  ]
}

export function printGates(gates: readonly Gate[]): void {
  const words = { true: 'reached', false: 'NOT REACHED', undefined: 'not measured' }
  const rows = gates.map(({ name, measured, wanted, isReached }) => [
    name,
    figure(measured),
    wanted,
    words[`${isReached}`],
  ])
  console.log(`\n${table(['gate', 'measured', 'wanted', ''], rows)}`)
  const reached = gates.filter(({ isReached }) => isReached === true).length
  const open = gates.filter(({ isReached }) => isReached === undefined).length
  console.log(`${reached} of ${gates.length} reached, ${open} not measured`)
}

function pooledGates(group: GroupReport, ours: string): Gate[] {
  return [
    atMost('pooled: GM by the best of the rivals', worst(group, ours, rivals, 'gm'), 0.96),
    atMost('pooled: GM by AutoCES', worst(group, ours, ['AutoCES'], 'gm'), 1),
    atMost('pooled: OWA by the best of the rivals', worst(group, ours, rivals, 'owa'), 0.96),
    atMost('pooled: OWA by AutoCES', worst(group, ours, ['AutoCES'], 'owa'), 1),
    ...coverageGates(group, ours, 0.03, 0.02),
    atMost('pooled: MSIS by the best peer', worst(group, ours, peers, 'msis'), 1),
    atMost(
      'pooled: scaled pinball by the best peer',
      worst(group, ours, peers, 'scaledPinball'),
      1,
    ),
  ]
}

function coverageGates(group: GroupReport, ours: string, off80: number, off95: number): Gate[] {
  const model = group.models.find(({ name }) => name === ours)
  const { coverage80 = Number.NaN, coverage95 = Number.NaN } = model ?? {}
  const name = group.group.includes('pooled') ? 'pooled' : group.group
  return [
    atMost(`${name}: 80% coverage, off by`, Math.abs(coverage80 - 0.8), off80),
    atMost(`${name}: 95% coverage, off by`, Math.abs(coverage95 - 0.95), off95),
  ]
}

/** Ours by the best of some peers: the largest ratio; NaN unless each of them was measured. */
function worst(
  { ratios }: GroupReport,
  ours: string,
  names: readonly string[],
  score: 'gm' | 'owa' | 'msis' | 'scaledPinball',
): number {
  const found = names.map((peer) => ratios.find((one) => one.ours === ours && one.peer === peer))
  return Math.max(...found.map((ratio) => ratio?.[score] ?? Number.NaN))
}
