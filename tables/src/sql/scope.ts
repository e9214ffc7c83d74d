import type { Fault } from '../fault.ts'

/** A column as the steps have left it: what it is in SQL, and whether that is text. */
export type ScopeColumn = { readonly sql: string; readonly kind: 'text' | 'number' }

/** The columns that there are after some steps, by name, in their order. */
export type Scope = ReadonlyMap<string, ScopeColumn>

/** The column of a name, or why there is none and what there is. */
export function columnIn(scope: Scope, name: string, field: string): ScopeColumn | Fault {
  const column = scope.get(name)
  if (column !== undefined) return column
  const near = [...scope.keys()].find((other) => plain(other) === plain(name))
  const names = [...scope.keys()].slice(0, namesShown).map((known) => JSON.stringify(known))
  const more = scope.size > namesShown ? ` and ${scope.size - namesShown} more` : ''
  return {
    field,
    detail: `There is no column ${JSON.stringify(name)}.`,
    remedy:
      near !== undefined
        ? `Did you mean ${JSON.stringify(near)}?`
        : `Name one of ${names.join(', ')}${more}.${hintOf([...scope.keys()])}`,
  }
}

export const isFault = (found: ScopeColumn | Fault): found is Fault => 'remedy' in found

/** One name that has what separates names elsewhere. */
function hintOf([only = '', ...others]: readonly string[]): string {
  if (others.length > 0 || !/[,;\t|]/.test(only)) return ''
  return ' It may be several: check source.delimiter.'
}

const namesShown = 30
const plain = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
