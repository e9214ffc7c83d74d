import { Compile } from 'typebox/compile'
import { type Fault, type Outcome, refused } from '../fault.ts'
import { meaningFaults, sourceFaults } from './meaning.ts'
import { completed, type Recipe } from './recipe.ts'
import { Frame, type GivenRecipe, type Source, sources, steps } from './schema.ts'
import { schemaFaults } from './schema-faults.ts'

/** The recipe in some JSON, with its defaults, or all that is wrong with it. */
export function parseRecipe(value: unknown): Outcome<Recipe> {
  const faults = shapeFaults(value)
  if (faults.length > 0) return refused(...faults)
  const given = value as GivenRecipe
  const wrong = meaningFaults(given)
  return wrong.length > 0 ? refused(...wrong) : { kind: 'done', value: completed(given) }
}

/** How a file is written, as a recipe says it; or all that is wrong with it. */
export function parseSource(value: unknown): Outcome<Source> {
  const format = known(sources, (value as Kinded)?.format)
  if (format === undefined) {
    const formats = Object.keys(sources).join(', ')
    return refused({
      field: '/source/format',
      detail: 'It does not say which format the file has.',
      remedy: `Give one of ${formats}, or leave out the source.`,
    })
  }
  const faults = schemaFaults(sourceChecks[format], sources[format], value, '/source')
  if (faults.length > 0) return refused(...faults)
  const wrong = [...sourceFaults(value as Source)]
  return wrong.length > 0 ? refused(...wrong) : { kind: 'done', value: value as Source }
}

/** A part that does not say of which kind it is has no schema of its own to be held against. */
function shapeFaults(value: unknown): readonly Fault[] {
  const faults = schemaFaults(frame, Frame, value, '')
  const { source, steps: given } = (value ?? {}) as { source?: Kinded; steps?: unknown }
  const format = known(sources, source?.format)
  const ofSource =
    format === undefined
      ? []
      : schemaFaults(sourceChecks[format], sources[format], source, '/source')
  const ofSteps = (Array.isArray(given) ? given : []).flatMap((step: Kinded, i) => {
    const kind = known(steps, step?.do)
    return kind === undefined
      ? []
      : schemaFaults(stepChecks[kind], steps[kind], step, `/steps/${i}`)
  })
  return [...faults, ...ofSource, ...ofSteps]
}

type Kinded = { readonly format?: unknown; readonly do?: unknown } | null | undefined

function known<Kind extends string>(all: Record<Kind, unknown>, word: unknown): Kind | undefined {
  return typeof word === 'string' && Object.hasOwn(all, word) ? (word as Kind) : undefined
}

const frame = Compile(Frame)
const sourceChecks = {
  csv: Compile(sources.csv),
  ndjson: Compile(sources.ndjson),
  parquet: Compile(sources.parquet),
}
const stepChecks = {
  select: Compile(steps.select),
  drop: Compile(steps.drop),
  rename: Compile(steps.rename),
  filter: Compile(steps.filter),
  derive: Compile(steps.derive),
}
