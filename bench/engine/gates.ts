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
    ]),
    ...frequencyGates(competition, ours),
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
    ...coverageGates('pooled', [group], ours, 0.03, 0.02),
    atMost('pooled: MSIS by the best peer', worst(group, ours, peers, 'msis'), 1),
    atMost(
      'pooled: scaled pinball by the best peer',
      worst(group, ours, peers, 'scaledPinball'),
      1,
    ),
  ]
}

/** Coverage of each frequency, over the series of all collections. */
function frequencyGates(groups: readonly GroupReport[], ours: string): Gate[] {
  const frequencies = new Set(groups.map(frequencyOf))
  return [...frequencies].flatMap((frequency) => {
    const inside = groups.filter((group) => frequencyOf(group) === frequency)
    return coverageGates(`${frequency}, pooled`, inside, ours, 0.05, 0.03)
  })
}

function frequencyOf({ group }: GroupReport): string {
  return group.split(' ').at(-1) ?? group
}

function coverageGates(
  name: string,
  groups: readonly GroupReport[],
  ours: string,
  off80: number,
  off95: number,
): Gate[] {
  const models = groups.flatMap(({ models }) => models.filter((model) => model.name === ours))
  const series = models.reduce((sum, { count }) => sum + count, 0)
  const share = (coverage: 'coverage80' | 'coverage95') =>
    models.reduce((sum, model) => sum + model.count * model[coverage], 0) / series
  const coverage80 = share('coverage80')
  const coverage95 = share('coverage95')
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
