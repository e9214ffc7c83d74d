import { writeFile } from 'node:fs/promises'
import { cpus, loadavg, totalmem } from 'node:os'
import { figure, table } from '../engine/table.ts'
import { median } from '../statistics.ts'
import type { Missing } from './peers/start.ts'

/** What one row of the report found, for people and for programs. */
export type Finding = {
  /** What was measured, and under which conditions of its own. */
  readonly title: string
  readonly head: readonly string[]
  readonly lines: readonly (readonly string[])[]
  /** What is to be reached, what was, and whether it is. */
  readonly verdicts: readonly Verdict[]
  /** Every single run. */
  readonly raw: unknown
}

export type Verdict = { readonly what: string; readonly value: number; readonly reached: boolean }

export type Report = {
  readonly conditions: Readonly<Record<string, string | number>>
  readonly missing: readonly Missing[]
  readonly findings: Readonly<Record<string, Finding>>
}

export function conditions(more: Readonly<Record<string, string | number>>) {
  return {
    at: new Date().toISOString(),
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    loadAverageBefore: Number(loadavg()[0]!.toFixed(2)),
    node: process.version,
    ...more,
  }
}

export function show(name: string, finding: Finding): string {
  const verdicts = finding.verdicts.map(
    ({ what, value, reached }) => `${reached ? 'reached' : 'MISSED '}  ${figure(value)}  ${what}`,
  )
  return [
    `## ${name}: ${finding.title}`,
    '',
    table(finding.head, finding.lines),
    '',
    ...verdicts,
  ].join('\n')
}

export async function save(file: string, report: Report): Promise<void> {
  await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`)
}

/** The median, and from where to where it goes. */
export function spreadOf(values: readonly number[], digits = 0): string {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return `${figure(median(values), digits)} (${figure(low, digits)} – ${figure(high, digits)})`
}
