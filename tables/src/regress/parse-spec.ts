import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { type Fault, type Outcome, refused } from '../fault.ts'
import { limits } from '../limits.ts'
import type { Recipe } from '../recipe/recipe.ts'
import { schemaFaults } from '../recipe/schema-faults.ts'
import type { RegressionFeature, RegressionSpec } from './spec.ts'

const closed = { additionalProperties: false } as const
const Name = Type.String({ minLength: 1, maxLength: limits.nameCharactersMax })
const words = <const Words extends readonly string[]>(...all: Words) =>
  Type.Unsafe<Words[number]>(Type.Enum([...all]))
const count = (maximum: number) => Type.Optional(Type.Integer({ minimum: 1, maximum }))

const Feature = Type.Object(
  { column: Name, type: words('number', 'category', 'year', 'month', 'day', 'weekday') },
  closed,
)
const Frame = Type.Object(
  {
    family: words('regression'),
    target: Type.Optional(Name),
    features: Type.Optional(Type.Array(Feature, { minItems: 1, maxItems: limits.featuresMax })),
    model: Type.Optional(Type.Object({ kind: words('linear', 'forest') })),
  },
  closed,
)
const models = {
  linear: Type.Object({ kind: words('linear') }, closed),
  forest: Type.Object(
    {
      kind: words('forest'),
      trees: count(limits.treesMax),
      depthMax: count(limits.treeDepthMax),
      leafMin: count(limits.regressionRowsMax),
      seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_147_483_647 })),
    },
    closed,
  ),
}
const frame = Compile(Frame)
const checks = { linear: Compile(models.linear), forest: Compile(models.forest) }

type Given = Omit<Static<typeof Frame>, 'model'> & {
  readonly model?: Static<(typeof models)['linear' | 'forest']>
}

const family = 'regression'

/** As a version keeps it: nothing is left open. */
export type StoredRegression = RegressionSpec & { readonly family: 'regression' }

/**
 * What is to be fitted to the rows that a recipe makes, with its defaults, or all that is wrong
 * with it. A row has the keys, the time, the target and the features of the recipe.
 */
export function parseRegression(value: unknown, recipe: Recipe): Outcome<StoredRegression> {
  const faults = schemaFaults(frame, Frame, value, '')
  const { model = { kind: 'forest' } } = value as { model?: { kind?: unknown } }
  const kind = model?.kind === 'linear' || model?.kind === 'forest' ? model.kind : undefined
  const ofModel = kind ? schemaFaults(checks[kind], models[kind], model, '/model') : []
  if (faults.length + ofModel.length > 0) return refused(...faults, ...ofModel)
  const given = value as Given
  const features = given.features ?? defaultFeatures(recipe)
  const wrong = [
    ...targetFaults(given, recipe),
    ...features.flatMap((feature, i) => featureFaults(feature, i, recipe)),
    ...(features.length === 0 ? [noFeatures] : []),
  ]
  if (wrong.length > 0) return refused(...wrong)
  return { kind: 'done', value: { family, target: recipe.target, features, model: modelOf(given) } }
}

/** Fifty trees of a thousand leaves each are some 2 MB. */
function modelOf({ model }: Given): RegressionSpec['model'] {
  if (model?.kind === 'linear') return { kind: 'linear' }
  return { trees: 50, depthMax: 10, leafMin: 2, seed: 1, ...model, kind: 'forest' }
}

/** Keys are categories, and seasons are parts of the time. */
function defaultFeatures({ keys, time, features, frequency }: Recipe) {
  const parts = partsOf[frequency].map((type) => ({ column: time.column, type }))
  const categories = keys.map((column) => ({ column, type: 'category' as const }))
  const others = features.map(({ column, type }) => ({ column, type }))
  return [...categories, ...parts, ...others]
}

const partsOf: Readonly<Record<Recipe['frequency'], readonly ('year' | 'month' | 'weekday')[]>> = {
  hourly: ['year', 'month', 'weekday'],
  daily: ['year', 'month', 'weekday'],
  weekly: ['year', 'month'],
  monthly: ['year', 'month'],
  quarterly: ['year', 'month'],
  yearly: ['year'],
}

const noFeatures: Fault = {
  field: '/features',
  detail: 'There is nothing to predict from.',
  remedy: 'Name features, or keys in the recipe.',
}

function targetFaults({ target }: Given, recipe: Recipe): readonly Fault[] {
  if (target === undefined || target === recipe.target) return []
  const detail = `It is ${JSON.stringify(target)}, and the recipe makes ${recipe.target}.`
  return [{ field: '/target', detail, remedy: 'Leave it out, or change the recipe.' }]
}

function featureFaults(
  { column, type }: RegressionFeature,
  place: number,
  { keys, time, features, target }: Recipe,
): readonly Fault[] {
  const field = `/features/${place}`
  if (column === time.column) {
    if (type !== 'number' && type !== 'category') return []
    const remedy = 'Take a part of it: year, month, day or weekday.'
    return [{ field: `${field}/type`, detail: 'A time is a new one in every period.', remedy }]
  }
  const known = keys.includes(column) ? 'category' : typeOf(features, column)
  if (known === undefined) {
    const names = [...keys, time.column, ...features.map((one) => one.column)]
    const what = column === target ? 'what is predicted' : 'no column of the rows that are made'
    const remedy = `There are ${names.join(', ')}; the recipe's features add more.`
    return [{ field: `${field}/column`, detail: `${column} is ${what}.`, remedy }]
  }
  if (type === 'category' || (type === 'number' && (known === 'number' || keys.includes(column))))
    return []
  const detail = `${column} is a ${known}, not a ${type}.`
  return [{ field: `${field}/type`, detail, remedy: `Write ${known}.` }]
}

const typeOf = (features: Recipe['features'], name: string) =>
  features.find(({ column }) => column === name)?.type
