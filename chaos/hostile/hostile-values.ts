import type { Chance } from './chance.ts'

/** Text that has broken parsers before, as it is; encoded where it must be. */
export const hostileTexts: readonly string[] = [
  '',
  ' ',
  '\t',
  '0',
  '-0',
  '-1',
  '1e308',
  '1e309',
  '-1e308',
  '9007199254740993',
  '99999999999999999999999999',
  '0x10',
  '1_000',
  '١٢٣',
  'NaN',
  'Infinity',
  'null',
  'undefined',
  'true',
  '[]',
  '{}',
  '[object Object]',
  '__proto__',
  'constructor',
  'constructor.prototype',
  'toString',
  'hasOwnProperty',
  '..',
  '.',
  '../../../etc/passwd',
  '..\\..\\windows',
  '/',
  '//',
  '\u0000',
  'a\u0000b',
  '\r\nx-injected: 1',
  '\u2028',
  '\ufeff',
  '\u202e',
  '𝕒𝕓𝕔',
  'é',
  'e\u0301',
  '💣'.repeat(20),
  '\ud800',
  "'; drop table models; --",
  '<script>alert(1)</script>',
  '$(id)',
  '{{7*7}}',
  '%',
  '%s%s%n',
  '%2f',
  '%252e%252e',
  'a'.repeat(63),
  'a'.repeat(64),
  'a'.repeat(199),
  'a'.repeat(201),
  'a'.repeat(5_000),
  'A',
  'serving,serving',
  '80,95',
  '80,,95',
  '1.0',
  '+1',
  '1 ',
]

/** Pieces of a path or query as they stand on the wire, broken encodings included. */
export function hostileWireText(chance: Chance): string {
  if (chance.flip(0.25)) return chance.pick(brokenEncodings)
  return encoded(chance.pick(hostileTexts))
}

const brokenEncodings = [
  '%',
  '%z',
  '%zz',
  '%ff',
  '%c0%af',
  '%ed%a0%80',
  '%f4%90%80%80',
  '%00',
  '%2e%2e',
  '%2e%2e%2f',
  '..%2f..%2f',
  '%5c',
  '%u0041',
  '+',
  ';a=b',
  'a;b',
  '[0]',
  '[a][b]',
  '"',
  '\\',
  '|',
  '^',
  '`',
  '{}',
]

/** Values as JSON text, so that what no object can hold can be said too. */
export function hostileJson(chance: Chance): string {
  const draw = chance.below(10)
  if (draw < 3) return chance.pick(oddNumbers)
  if (draw < 6) return JSON.stringify(chance.pick(hostileTexts))
  if (draw < 9) return chance.pick(oddJson)
  return chance.pick([deepArray, deepObject])(10 ** (1 + chance.below(4)))
}

export const deepArray = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
export const deepObject = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`

const oddNumbers = [
  '0',
  '-0',
  '-1',
  '1.5',
  '1e308',
  '-1e308',
  '1e309',
  '1e-400',
  '5e-324',
  '9007199254740993',
  '1'.repeat(400),
  '0.1e1',
  'NaN',
  'Infinity',
  '-Infinity',
  '01',
  '.5',
  '+1',
  '0x1',
  '1n',
]

const oddJson = [
  'null',
  'true',
  '[]',
  '{}',
  '[[]]',
  '[null]',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"a":1,"a":2}',
  '{"":""}',
  '{"toString":1,"valueOf":2,"hasOwnProperty":3}',
  '{"length":1e9}',
  '"\\ud800"',
  '"\\u0000"',
  "'x'",
  'undefined',
  '/* x */1',
  '[1,]',
  '{"a":1,}',
]

function encoded(text: string): string {
  return [...text]
    .map((letter) => (letter.isWellFormed() ? encodeURIComponent(letter) : '%ed%a0%80'))
    .join('')
}
