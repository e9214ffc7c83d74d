/**
 * A name that a file can have here, of the one that it has on somebody's desk: clients of earlier
 * systems send `Sales 2024 (1).csv` and cannot be told to rename it. Accents go, what else a name
 * cannot have becomes a dash, and endings like `.csv.gz` stay. Pure.
 */
export function storableName(own: string): string {
  const plain = own.normalize('NFKD').replace(/\p{M}/gu, '')
  const [, base = '', ending = ''] = /^(.*?)((?:\.[A-Za-z0-9]{1,8}){0,2})$/su.exec(plain) ?? []
  const kept = base
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[.-]+|-+$/g, '')
    .slice(0, baseCharactersMax)
  return (kept || 'file') + ending
}

/** With `uploads/` and its ending it is far below what a name may have. */
const baseCharactersMax = 150
