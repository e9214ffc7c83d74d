import { createHash } from 'node:crypto'

/** Equal texts have equal digests, and others do not: 96 bits are plenty for a history. */
export const digestOf = (text: string): string =>
  text === '' ? '' : createHash('sha256').update(text).digest('base64url').slice(0, 16)

/** Of a forecast's body without what follows its points. */
export function pointsDigestOf(text: string): string {
  if (!text.startsWith('{"data":[')) return ''
  return digestOf(text.slice(0, text.indexOf(']') + 1))
}
