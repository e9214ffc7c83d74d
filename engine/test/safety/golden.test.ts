import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { decodeContainer, encodeContainer } from '../../src/codec/container.ts'
import { families } from '../../src/families.ts'
import { decodeModel, encodeModel } from '../../src/index.ts'
import { doneValue, refusalOf } from '../expect-done.ts'
import { readGolden } from '../golden.ts'

const folder = fileURLToPath(new URL('../golden/', import.meta.url))
const files = readdirSync(folder)
const stored = files.filter((file) => file.endsWith('.bin'))

/** The formats that a family has ever had: a family keeps reading all of them. */
const formats = [...families.values()].flatMap(({ name, format }) =>
  Array.from({ length: format }, (_, i) => ({ name, format: i + 1 })),
)

describe('models as some version wrote them', () => {
  test.each(formats)('there is one of $name, format $format', ({ name, format }) => {
    const own = stored.filter((file) => file.startsWith(`${name}-${format}`))
    expect(own.length).toBeGreaterThan(0)
    for (const file of own) {
      const bytes = readGolden(file)
      const container = doneValue(decodeContainer(bytes))
      expect(container).toMatchObject({ family: name, familyFormat: format })
      const model = doneValue(decodeModel(bytes))
      if (format === families.get(name)!.format) {
        expect(Buffer.from(encodeModel(model)).equals(bytes)).toBe(true)
      }
    }
  })

  test.each([...families.values()])('$name reads no format that it never had', (family) => {
    const newest = stored.find((file) => file.startsWith(`${family.name}-${family.format}`))!
    const container = doneValue(decodeContainer(readGolden(newest)))
    for (const familyFormat of [0, family.format + 1, 0xffffffff]) {
      const bytes = encodeContainer({ ...container, familyFormat })
      expect(refusalOf(decodeModel(bytes)).code).toBe('bad-format')
    }
  })
})
