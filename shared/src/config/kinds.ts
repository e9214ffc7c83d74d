import type { Setting } from './settings.ts'

type Base = { readonly flag: string; readonly env: string; readonly help: string }

export const text = (
  base: Base & { readonly shape: string; readonly fallback: string },
): Setting<string> => ({ ...base, parse: (value) => ({ value }) })

/** No value means that the setting was not given. */
export const optionalText = (base: Base & { readonly shape: string }): Setting<string | null> => ({
  ...base,
  fallback: null,
  parse: (value) => ({ value }),
})

export const secret = (base: Base): Setting<string | null> => ({
  ...base,
  shape: 'TEXT',
  fallback: null,
  secret: true,
  parse: (value) =>
    value.length >= 16 ? { value } : { fault: 'too short for a secret: use 16 characters or more' },
})

export const integer = (
  base: Base & {
    readonly fallback: number
    readonly minimum: number
    readonly maximum: number
    readonly shape?: string
  },
): Setting<number> => ({
  shape: 'N',
  ...base,
  parse: (value) => {
    const n = Number(value)
    const fits = /^\d+$/.test(value) && n >= base.minimum && n <= base.maximum
    if (fits) return { value: n }
    return { fault: `"${value}" is not a whole number from ${base.minimum} to ${base.maximum}` }
  },
})

export const choice = <const C extends readonly string[]>(
  base: Base & { readonly choices: C; readonly fallback: C[number] },
): Setting<C[number]> => ({
  ...base,
  shape: base.choices.join('|'),
  parse: (value) =>
    base.choices.includes(value)
      ? { value: value as C[number] }
      : { fault: `"${value}" is not one of ${base.choices.join(', ')}` },
})

/** A comma-separated list of host names or addresses, without ports. */
export const hostNames = (base: Base): Setting<readonly string[] | null> => ({
  ...base,
  shape: 'NAME[,…]',
  fallback: null,
  parse: (value) => {
    const items = value.split(',').map((item) => item.trim())
    const bad = items.find((item) => !/^([\w.-]+|\[[\da-fA-F:.]+\])$/.test(item))
    return bad === undefined ? { value: items } : { fault: `"${bad}" is not a host name` }
  },
})

/** A comma-separated list of `host:port`, with or without a scheme. */
export const addresses = (base: Base): Setting<readonly string[] | null> => ({
  ...base,
  shape: 'HOST:PORT[,…]',
  fallback: null,
  parse: (value) => {
    const items = value.split(',').map((item) => item.trim())
    const bad = items.find((item) => !/^(https?:\/\/)?[^\s/:]+:\d{1,5}$/.test(item))
    return bad === undefined ? { value: items } : { fault: `"${bad}" is not HOST:PORT` }
  },
})
