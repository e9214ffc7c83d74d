import { csvOf } from '../../src/generate/csv.ts'
import { makeSalesWorld } from '../../src/generate/sales.ts'

export const world = makeSalesWorld({
  stores: 4,
  products: 15,
  days: 400,
  firstDay: 19_358,
  seed: 8,
})

/** The generator's sales with what happens to files: one line in some hundreds is not as it was. */
export function damaged(): Buffer {
  const lines = Buffer.concat([...csvOf(world)])
    .toString()
    .trimEnd()
    .split('\n')
  const made = lines.flatMap((line, i) => {
    if (i === 0) return [line]
    const fields = line.split(',')
    switch (i % 397) {
      case 17:
        return [line, line]
      case 31:
        return [line.replace(/,(\d+),(\d{4}-)/, ',many,$2')]
      case 59:
        return [line.replace(/(\d{4})-(\d{2})-(\d{2})/, '$3.$2.$1')]
      case 83:
        return [fields.slice(0, 4).join(',')]
      case 101:
        return [`"${line}`]
      case 127:
        return []
      case 151:
        return [line.replace(/,(\d+),(\d{4}-)/, ',9000,$2')]
      case 181:
        return [line.replace(/,(\d+),(\d{4}-)/, ',,$2')]
      default:
        return [line]
    }
  })
  return Buffer.from(`${made.join('\n')}\n`)
}
