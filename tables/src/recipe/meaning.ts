import { isTimeZone } from '@almanac/engine'
import type { Fault } from '../fault.ts'
import type { GivenRecipe, Source, Step } from './schema.ts'
import { timeFormatFault } from './time-format.ts'

/** What is wrong with a recipe that has the right form. */
export function meaningFaults(recipe: GivenRecipe): readonly Fault[] {
  return [
    ...sourceFaults(recipe.source),
    ...timeFaults(recipe),
    ...roleFaults(recipe),
    ...(recipe.steps ?? []).flatMap((step, i) => [...stepFaults(step, `/steps/${i}`)]),
    ...stockOutFaults(recipe.stockOuts),
    ...gapFaults(recipe),
  ]
}

/** The same of what says how a file is written. */
export function* sourceFaults(source: Source): Generator<Fault> {
  if (source.format === 'parquet') return
  const { decimal = '.', thousands } = source
  if (decimal === thousands)
    yield {
      field: '/source/thousands',
      detail: `Both the decimal and the thousands separator are ${JSON.stringify(decimal)}.`,
      remedy: 'Let them differ.',
    }
  if (source.format !== 'csv') return
  for (const name of ['delimiter', 'quote'] as const) {
    const character = source[name]
    if (character == null || isSeparator(character)) continue
    yield {
      field: `/source/${name}`,
      detail: `It is ${JSON.stringify(character)}.`,
      remedy: 'Give one ASCII character that is no line break.',
    }
  }
  if ((source.delimiter ?? ',') === (source.quote === undefined ? '"' : source.quote))
    yield {
      field: '/source/quote',
      detail: 'It is the delimiter, too.',
      remedy: 'Let them differ; null means that no field is quoted.',
    }
  yield* doubles(source.header ?? [], '/source/header')
}

function isSeparator(character: string): boolean {
  return character !== '\0' && character < '\x80' && !/[\r\n]/.test(character)
}

function* timeFaults({ time }: GivenRecipe): Generator<Fault> {
  const fault = timeFormatFault(time.format ?? 'iso')
  if (fault !== undefined) yield { field: '/time/format', ...fault }
  if (time.zone !== undefined && !isTimeZone(time.zone))
    yield {
      field: '/time/zone',
      detail: `No time zone is called ${JSON.stringify(time.zone)}.`,
      remedy: 'Give a name of the IANA data base, as in Europe/Berlin, or UTC.',
    }
}

/** Each column has one part to play. */
function* roleFaults({ time, target, keys = [], features = [] }: GivenRecipe): Generator<Fault> {
  yield* doubles(keys, '/keys')
  yield* doubles(
    features.map(({ column }) => column),
    '/features',
  )
  if (target === time.column || keys.includes(target))
    yield {
      field: '/target',
      detail: `${JSON.stringify(target)} is the time or a key, too.`,
      remedy: 'Name the column of the numbers that are to be forecast.',
    }
  if (keys.includes(time.column))
    yield {
      field: '/keys',
      detail: `${JSON.stringify(time.column)} is the time, too.`,
      remedy: 'Name the columns that tell one series from another.',
    }
}

function* stepFaults(step: Step, field: string): Generator<Fault> {
  if (step.do !== 'filter') return
  const takes = step.is === 'in' || step.is === 'not in' ? 'values' : 'value'
  const isAlone = step.is === 'missing' || step.is === 'present'
  for (const name of ['value', 'values'] as const) {
    const isWanted = !isAlone && name === takes
    if (isWanted === (step[name] !== undefined)) continue
    yield {
      field: `${field}/${name}`,
      detail: `${JSON.stringify(step.is)} ${isWanted ? 'needs' : 'has no use for'} it.`,
      remedy: isWanted ? 'Say what to compare with.' : 'Leave it out.',
    }
  }
}

function* stockOutFaults(rule: GivenRecipe['stockOuts']): Generator<Fault> {
  if (rule === undefined) return
  if (rule.column === undefined && rule.zeros === undefined)
    yield {
      field: '/stockOuts',
      detail: 'It does not say how a stock-out is known.',
      remedy: 'Name a column, or say how many zeros in a row are one.',
    }
  if (rule.column === undefined && rule.values !== undefined)
    yield {
      field: '/stockOuts/values',
      detail: 'There is no column that could have these values.',
      remedy: 'Name the column, or leave them out.',
    }
}

function* gapFaults({ gaps }: GivenRecipe): Generator<Fault> {
  if (gaps?.until !== 'table' || gaps.fill === 'zero' || gaps.fill === 'forward') return
  yield {
    field: '/gaps/until',
    detail: `After its last observation a series cannot be filled with ${gaps.fill}.`,
    remedy: 'Fill with zero or forward, or up to the last observation of the series.',
  }
}

function* doubles(names: readonly string[], field: string): Generator<Fault> {
  const double = names.find((name, i) => names.indexOf(name) !== i)
  if (double === undefined) return
  yield { field, detail: `${JSON.stringify(double)} is there twice.`, remedy: 'Name it once.' }
}
