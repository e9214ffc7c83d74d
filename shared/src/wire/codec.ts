import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'

export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: string }

export type Codec<T> = {
  /** The value as text. Bounds on its size are the coordinator's. */
  readonly encode: (value: T) => string
  /** Never throws: a bad value is reported by the caller and skipped. */
  readonly decode: (text: string) => Decoded<T>
}

/** Text to a checked value and back, with one fault named when it does not fit the schema. */
export function codec<S extends TSchema>(schema: S): Codec<Static<S>> {
  const validator = Compile(schema)
  return {
    encode: (value) => JSON.stringify(value),
    decode: (text) => {
      let value: unknown
      try {
        value = JSON.parse(text)
      } catch {
        return { ok: false, fault: 'not JSON' }
      }
      if (validator.Check(value)) return { ok: true, value: value as Static<S> }
      const [first] = validator.Errors(value)
      const where = first?.instancePath || '/'
      return { ok: false, fault: `${where} ${first?.message ?? 'does not fit its schema'}` }
    },
  }
}
