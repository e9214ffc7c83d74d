import { parseArgs } from 'node:util'

/** One setting: a flag, an environment variable, a type, a default, a check and a sentence. */
export type Setting<T = unknown> = {
  readonly flag: string
  readonly env: string
  /** What the value looks like, for the help text: `HOST:PORT`, `N`, `DIR`. */
  readonly shape: string
  readonly help: string
  readonly fallback: T
  /** The text as a value, or a sentence that says what is wrong with it. */
  readonly parse: (text: string) => { readonly value: T } | { readonly fault: string }
  /** A secret is never taken from the command line, where every user of the machine sees it. */
  readonly secret?: boolean
}

export type Settings<D> = {
  readonly [K in keyof D]: D[K] extends Setting<infer T> ? T : never
}

export type SettingsOutcome<D> =
  | { readonly kind: 'settings'; readonly settings: Settings<D> }
  | { readonly kind: 'faults'; readonly faults: readonly string[] }
  | { readonly kind: 'help' }

type Definitions = { readonly [key: string]: Setting }

/** Reads flags, then the environment, then defaults; gathers every fault instead of the first. */
export function readSettings<D extends { readonly [K in keyof D]: Setting }>(
  definitions: D,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): SettingsOutcome<D> {
  const table: Definitions = definitions
  const { flags, faults, help } = readFlags(table, argv)
  if (help) return { kind: 'help' }
  const settings: Record<string, unknown> = {}
  for (const [key, setting] of Object.entries(table)) {
    const found = given(setting, flags, env)
    if (found === undefined) {
      settings[key] = setting.fallback
      continue
    }
    const parsed = setting.parse(found.text)
    if ('fault' in parsed) faults.push(`${found.from}: ${parsed.fault}`)
    else settings[key] = parsed.value
  }
  if (faults.length > 0) return { kind: 'faults', faults }
  return { kind: 'settings', settings: Object.freeze(settings) as Settings<D> }
}

/** One line or two a setting, in the order of the table. */
export function helpText(usage: string, definitions: { readonly [key: string]: Setting }): string {
  const lines = Object.values(definitions).map((setting) => {
    const flag = setting.secret ? '' : `--${setting.flag} ${setting.shape}`
    const head = [flag, setting.env].filter(Boolean).join(', ')
    const fallback = setting.secret || setting.fallback === null ? '' : ` [${setting.fallback}]`
    return `  ${head}\n      ${setting.help}${fallback}`
  })
  return `${usage}\n\n${lines.join('\n')}\n  --help\n      Print this and stop.\n`
}

function given(
  setting: Setting,
  flags: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>>,
): { text: string; from: string } | undefined {
  const flag = flags[setting.flag]
  if (flag !== undefined) return { text: flag, from: `--${setting.flag}` }
  const variable = env[setting.env]
  if (variable !== undefined && variable !== '') return { text: variable, from: setting.env }
  return undefined
}

function readFlags(table: Definitions, argv: readonly string[]) {
  const known = new Map(
    Object.values(table)
      .filter((setting) => !setting.secret)
      .map((setting) => [setting.flag, setting]),
  )
  const flags: Record<string, string> = {}
  const faults: string[] = []
  let help = false
  const options = Object.fromEntries(
    [...known.keys()].map((flag) => [flag, { type: 'string' as const }]),
  )
  const { tokens } = parseArgs({
    args: [...argv],
    options: { ...options, help: { type: 'boolean' } },
    strict: false,
    tokens: true,
  })
  for (const token of tokens) {
    if (token.kind === 'positional') faults.push(`${token.value}: not an option`)
    if (token.kind !== 'option') continue
    const setting = known.get(token.name)
    if (token.name === 'help') help = true
    else if (!setting) faults.push(unknownFlag(token.rawName, [...known.keys()]))
    else if (token.value === undefined) faults.push(`--${token.name}: needs ${setting.shape}`)
    else flags[token.name] = token.value
  }
  return { flags, faults, help }
}

function unknownFlag(raw: string, known: readonly string[]): string {
  return `${raw}: there is no such option; there are --${[...known, 'help'].join(', --')}`
}
