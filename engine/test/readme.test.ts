import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { forecastWeek } from './readme-example.ts'
import { readSampleData } from './sample-data.ts'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

test('the example of the README is the one that is tested', () => {
  expect(read('../README.md')).toContain(`\`\`\`ts\n${read('./readme-example.ts')}\`\`\``)
})

test('the example forecasts a week, also from little, and refuses a series of nothing', () => {
  const week = forecastWeek([...readSampleData()])
  expect(week).toMatchObject({ point: expect.any(Float64Array) })
  expect('point' in week && week.point.length).toBe(7)
  expect(forecastWeek([1, null, 3])).toMatchObject({ point: expect.any(Float64Array) })
  expect(forecastWeek([null, null])).toMatchObject({ code: 'all-missing' })
})
