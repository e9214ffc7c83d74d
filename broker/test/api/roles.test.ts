import { expect, test } from 'vitest'
import { recipeOf } from '../../src/api/earlier/roles.ts'

const column = (name: string, type: 'time' | 'number' | 'text', ...examples: string[]) => ({
  ...{ name, type, examples },
  timeFormats: type === 'time' ? ['iso'] : [],
})
const columns = [
  column('date', 'time', '2024-05-01'),
  column('product_id', 'number', '1', '2'),
  column('product_name', 'text', 'Apple', 'Bread'),
  column('sold', 'text', 'none', '3'),
]
const source = { format: 'csv' } as const
const roles = { time: 'date', category: 'product_id', dateFormat: undefined, frequency: 'daily' }
const of = (target: string) => recipeOf({ columns, source, recipe: null }, { ...roles, target })

test('a target that has nothing but words is refused before anything is trained', () => {
  const detail = /product_name has texts such as "Apple", and no numbers\./
  expect(() => of('product_name')).toThrow(detail)
  expect(() => of('product_name')).toThrow(
    expect.objectContaining({ code: 'unclear-table', field: '/targetColumn' }),
  )
})

test('a target that has some words among its numbers is taken: those rows are left out', () => {
  expect(of('sold').target).toBe('sold')
})
