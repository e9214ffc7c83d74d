import type { Failure } from './our-forecasts.ts'
import type { Scored } from './scoring.ts'
import { compare, type Ratio, type Summary, summarise } from './summary.ts'
import { figure, table } from './table.ts'

/** A model in the contest: one of our specs, or a peer. */
export type Contestant = {
  readonly name: string
  readonly isOurs: boolean
  readonly scored: Scored[]
  readonly failures: Failure[]
  readonly bytesMax?: number
}

export type GroupReport = {
  readonly group: string
  /** All frequencies of a collection, or more. */
  readonly isWhole: boolean
  readonly models: readonly ({ readonly name: string; readonly isOurs: boolean } & Summary)[]
  readonly ratios: readonly ({ readonly ours: string; readonly peer: string } & Ratio)[]
}

export type AccuracyReport = {
  readonly groups: readonly GroupReport[]
  readonly failures: readonly { readonly name: string; readonly list: readonly Failure[] }[]
  /** MASE of each model on each split, for a closer look. */
  readonly series: readonly {
    readonly id: string
    readonly seasonalNaive: number
    readonly mase: Readonly<Record<string, number>>
  }[]
}

type Group = {
  readonly name: string
  readonly isWhole: boolean
  readonly has: (scored: Scored) => boolean
}

export function accuracyReport(contestants: readonly Contestant[]): AccuracyReport {
  return {
    groups: groupsOf(contestants).map((group) => groupReport(group, contestants)),
    failures: contestants
      .filter(({ failures }) => failures.length > 0)
      .map(({ name, failures }) => ({ name, list: failures })),
    series: seriesOf(contestants),
  }
}

export function printAccuracy(report: AccuracyReport): void {
  for (const { group, isWhole, models, ratios } of report.groups) {
    console.log(`\n== ${group}`)
    const ours = models.filter(({ isOurs }) => isOurs).map(({ name }) => name)
    const columns = ours.map((_, i) => (ours.length === 1 ? 'GM ours ÷' : `GM ours ${i + 1} ÷`))
    const rows = models.map((model) => [
      ...modelRow(model),
      ...ratioCells(model.name, ours, ratios),
    ])
    console.log(table([...modelHead, ...columns], rows))
    if (isWhole && ratios.length > 0) console.log(table(ratioHead, ratios.map(ratioRow)))
  }
  for (const { name, list } of report.failures) {
    const kinds = Map.groupBy(list, ({ fault }) => fault)
    const parts = [...kinds].map(([fault, of]) => `${of.length} × ${fault} (${of[0]?.id} …)`)
    console.log(`\n${name}: ${list.length} without a forecast: ${parts.slice(0, 5).join('; ')}`)
  }
}

/** Each collection and frequency, each collection, and the competition sets together. */
function groupsOf(contestants: readonly Contestant[]): Group[] {
  const splits = contestants.flatMap(({ scored }) => scored.map(({ split }) => split.split))
  const names = new Set(splits.map(({ collection, frequency }) => `${collection} ${frequency}`))
  const single: Group[] = [...names].map((name) => ({
    name,
    isWhole: false,
    has: ({ split: { split } }) => `${split.collection} ${split.frequency}` === name,
  }))
  const collections = [...new Set(splits.map(({ collection }) => collection))]
  const whole: Group[] = collections
    .filter((collection) => single.filter(({ name }) => name.startsWith(collection)).length > 1)
    .map((collection) => ({
      name: collection,
      isWhole: true,
      has: ({ split: { split } }) => split.collection === collection,
    }))
  const isCompetition = (collection: string) => collection !== 'real'
  if (collections.filter(isCompetition).length > 1) {
    const has: Group['has'] = ({ split: { split } }) => isCompetition(split.collection)
    whole.push({ name: 'm1 and tourism, pooled', isWhole: true, has })
  }
  return [...single, ...whole]
}

function groupReport(
  { name: group, isWhole, has }: Group,
  contestants: readonly Contestant[],
): GroupReport {
  const inside = contestants
    .map((contestant) => ({ ...contestant, scored: contestant.scored.filter(has) }))
    .filter(({ scored }) => scored.length > 0)
  const peers = inside.filter(({ isOurs }) => !isOurs)
  const ratios = inside
    .filter(({ isOurs }) => isOurs)
    .flatMap((ours) =>
      peers.flatMap((peer) => {
        const ratio = compare(ours.scored, peer.scored)
        return ratio === undefined ? [] : [{ ours: ours.name, peer: peer.name, ...ratio }]
      }),
    )
  return {
    group,
    isWhole,
    models: inside.map(({ name, isOurs, scored }) => ({ name, isOurs, ...summarise(scored) })),
    ratios,
  }
}

function seriesOf(contestants: readonly Contestant[]): AccuracyReport['series'] {
  const byId = new Map<string, { seasonalNaive: number; mase: Record<string, number> }>()
  for (const { name, scored } of contestants) {
    for (const { split, scores } of scored) {
      const id = split.split.id
      const known = byId.get(id) ?? { seasonalNaive: split.seasonalNaiveMase, mase: {} }
      known.mase[name] = scores.mase
      byId.set(id, known)
    }
  }
  return [...byId].map(([id, rest]) => ({ id, ...rest }))
}

const modelHead = ['model', 'n', 'GM', '90%', 'OWA', 'mean', 'median', 'c80', 'c95', 'MSIS']
modelHead.push('pinball', 'CPU s')

function modelRow(model: GroupReport['models'][number]): string[] {
  return [
    `${model.isOurs ? '*' : ' '} ${model.name}`,
    String(model.count),
    figure(model.gm),
    `${figure(model.gmLow)}–${figure(model.gmHigh)}`,
    figure(model.owa),
    figure(model.meanMase),
    figure(model.medianMase),
    figure(model.coverage80),
    figure(model.coverage95),
    figure(model.msis, 2),
    figure(model.scaledPinball),
    figure(model.cpuSeconds, 1),
  ]
}

/** Ours by the model of the row, on the splits of both; with their number. */
function ratioCells(
  peer: string,
  ours: readonly string[],
  ratios: GroupReport['ratios'],
): string[] {
  return ours.map((name) => {
    const ratio = ratios.find((one) => one.ours === name && one.peer === peer)
    return ratio === undefined ? '' : `${figure(ratio.gm)} (${ratio.count})`
  })
}

const ratioHead = ['ours by the peer, where both have a forecast', 'n', 'GM', '90%', 'OWA']
ratioHead.push('MSIS', 'pinball')

function ratioRow(ratio: GroupReport['ratios'][number]): string[] {
  return [
    `  ${ratio.ours} / ${ratio.peer}`,
    String(ratio.count),
    figure(ratio.gm),
    `${figure(ratio.gmLow)}–${figure(ratio.gmHigh)}`,
    figure(ratio.owa),
    figure(ratio.msis),
    figure(ratio.scaledPinball),
  ]
}
