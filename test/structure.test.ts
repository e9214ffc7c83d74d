import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '')
const source = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]))

/** What each workspace may import besides itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  engine: [],
  shared: [],
  tables: ['engine'],
  'model-api': ['shared', 'engine', 'tables'],
  broker: ['shared', 'engine', 'tables'],
}

/** The one place that asks the runtime when clocks were and will be changed. */
const zoneTable = 'engine/src/series/zone-table.ts'

/** Inside shared: a folder may import those before it. */
const sharedOrder = [
  'base',
  'wire',
  'coordination',
  'store',
  'files',
  'scratch',
  'messages',
  'telemetry',
  'cluster',
  'http',
  'config',
]

describe('the structure of the code', () => {
  test('there is code to look at', () => {
    expect(files.length).toBeGreaterThan(50)
  })

  test('imports between workspaces point one way', () => {
    const wrong = imports().filter(({ file, target }) => {
      const from = workspaceOf(file)
      const to = workspaceOf(target)
      return from && to && from !== to && !mayImport[from]?.includes(to)
    })
    expect(wrong).toEqual([])
  })

  test('workspaces import one another by name, through their index', () => {
    const wrong = imports().filter(({ file, name, target }) => {
      const from = workspaceOf(file)
      return from && file.includes('/src/') && name.startsWith('.') && workspaceOf(target) !== from
    })
    expect(wrong).toEqual([])
  })

  test('the engine imports nothing but itself', () => {
    const wrong = imports().filter(
      ({ file, name }) => file.startsWith('engine/src/') && !name.startsWith('.'),
    )
    expect(wrong).toEqual([])
  })

  test.each([
    // Their results differ between builds of V8; whole powers are fine as `**`.
    ['a power that is not whole', /Math\.pow\b|\*\*=?\s*(?!\d+\b(?!\.\d))[^\s/]/],
    [
      'a clock',
      /\bDate\b(?!\.parse\()|\bperformance\b|\bTemporal\b|\bset(Timeout|Interval|Immediate)\b/,
    ],
    ['chance', /Math\.random\b|\bcrypto\b/],
    ['a locale', /\bIntl\b|\.toLocale\w*\(|\.localeCompare\(/],
    ['anything of the process or the network', /\b(console|process|globalThis|fetch)\b\s*[.(]/],
  ])('the engine uses nowhere %s', (what, pattern) => {
    const found = [...source].flatMap(([file, text]) => {
      if (!file.startsWith('engine/src/')) return []
      if (file === zoneTable && what === 'a locale') return []
      return pattern.test(codeOf(text)) ? [file] : []
    })
    expect(found).toEqual([])
  })

  test('inside shared imports follow the order of its folders', () => {
    const place = (file: string) => sharedOrder.indexOf(file.split('/')[2] ?? '')
    const wrong = imports().filter(
      ({ file, target }) =>
        file.startsWith('shared/src/') &&
        target.startsWith('shared/src/') &&
        file !== 'shared/src/index.ts' &&
        place(target) > place(file),
    )
    expect(wrong).toEqual([])
  })

  test('no file is longer than 500 lines and no line longer than 100 characters', () => {
    const long = [...source].flatMap(([file, text]) => {
      const lines = text.split('\n')
      const wide = lines.findIndex((line) => line.length > 100 && !/['"`]/.test(line))
      return [
        ...(lines.length > 501 ? [`${file}: ${lines.length} lines`] : []),
        ...(wide >= 0 ? [`${file}:${wide + 1} is too wide`] : []),
      ]
    })
    expect(long).toEqual([])
  })

  test('files are named in kebab case', () => {
    const name = /^[a-z0-9]+(-[a-z0-9]+)*(\.(cluster|compose|spark))?(\.(test|config))?\.ts$/
    expect(files.filter((file) => !name.test(file.split('/').at(-1) ?? ''))).toEqual([])
  })

  test.each([
    ['eval or a function from text', /\beval\(|new Function\(/, []],
    ['bytes deserialised into objects', /\bdeserialize\(/, []],
    ['a default export', /^export default/m, ['vitest']],
    ['an enum or a namespace', /^\s*(export )?(const )?(enum|namespace) \w/m, []],
    ['a type check that is switched off', /@ts-(ignore|nocheck|expect-error)/, []],
    ['a test that does not run', /\b(test|it|describe)\.(skip|only|todo|skipIf|runIf)\b/, []],
    ['chance that nobody can own', /Math\.random\(/, ['shared/src/base/random.ts']],
  ] as const)('nowhere is there %s', (_what, pattern, except) => {
    const found = [...source.entries()].filter(
      ([file, text]) =>
        pattern.test(text) &&
        file !== 'test/structure.test.ts' &&
        !except.some((prefix) => file.startsWith(prefix)),
    )
    expect(found.map(([file]) => file)).toEqual([])
  })
})

/** A text without its comments and its strings in single quotes. */
function codeOf(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/'(?:[^'\\\n]|\\.)*'|\/\/.*/g, (found) => (found.startsWith('/') ? '' : "''"))
}

function imports(): { file: string; name: string; target: string }[] {
  return [...source].flatMap(([file, text]) =>
    [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => {
      const name = match[1] ?? ''
      return { file, name, target: resolved(file, name) }
    }),
  )
}

function resolved(file: string, name: string): string {
  if (name.startsWith('@almanac/')) return `${name.slice('@almanac/'.length)}/src/index.ts`
  if (!name.startsWith('.')) return name
  return relative(root, join(root, dirname(file), name))
}

function workspaceOf(file: string): string | undefined {
  const [head] = file.split('/')
  return head !== undefined && head in mayImport ? head : undefined
}
