import type { Dialect } from './dialect.ts'

/** A column of a key: its name, and its value in SQL. */
export type KeyPart = { readonly name: string; readonly sql: string }

/** The key of a row: `store=3,product=17`; of a table that is one series `all`. */
export function keyOf(parts: readonly KeyPart[], dialect: Dialect): string {
  if (parts.length === 0) return dialect.literal('all')
  return parts
    .map(({ name, sql }, i) => {
      const head = dialect.literal(`${i === 0 ? '' : ','}${escaped(name)}=`)
      return `${head} || ${escapedSql(sql, dialect)}`
    })
    .join(' || ')
}

/** What stands between the parts of a key is written in percent where it is in one of them. */
export function escaped(text: string): string {
  return escapes.reduce((done, [from, to]) => done.replaceAll(from, to), text)
}

/** The parts of a key, in their order: the other way round. */
export function partsOfKey(key: string): readonly (readonly [name: string, value: string])[] {
  if (!key.includes('=')) return []
  return key.split(',').map((part) => {
    const at = part.indexOf('=')
    return [unescaped(part.slice(0, at)), unescaped(part.slice(at + 1))] as const
  })
}

/** The percent first, as the others bring in more of it. */
const escapes = [
  ['%', '%25'],
  [',', '%2C'],
  ['=', '%3D'],
] as const

function escapedSql(sql: string, { literal }: Dialect): string {
  return escapes.reduce(
    (done, [from, to]) => `REPLACE(${done}, ${literal(from)}, ${literal(to)})`,
    sql,
  )
}

function unescaped(text: string): string {
  return escapes.toReversed().reduce((done, [to, from]) => done.replaceAll(from, to), text)
}
