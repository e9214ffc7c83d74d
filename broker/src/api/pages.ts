import { limits, Refused } from '@almanac/shared'

export type PageAsked = { readonly limit: number; readonly cursor: string | null }

/** The page that a list's query asks for. Throws a 400 that names the parameter at fault. */
export function readPage(
  query: { readonly limit?: string; readonly cursor?: string },
  cursorShape: RegExp = /^.{1,200}$/,
): PageAsked {
  const limit = query.limit === undefined ? limits.pageItemsMax : Number(query.limit)
  if (limit > limits.pageItemsMax)
    throw new Refused(400, 'invalid', `limit must be at most ${limits.pageItemsMax}.`, {
      field: 'limit',
    })
  const cursor = query.cursor ?? null
  if (cursor !== null && !cursorShape.test(cursor))
    throw new Refused(400, 'invalid', 'cursor must be the next of a page.', { field: 'cursor' })
  return { limit, cursor }
}

/** One page of what is at hand, in the given order. */
export function pageOf<T>(
  items: readonly T[],
  idOf: (item: T) => string,
  isAfter: (id: string, cursor: string) => boolean,
  { limit, cursor }: PageAsked,
): { readonly items: readonly T[]; readonly next: string | null } {
  const rest = cursor === null ? items : items.filter((item) => isAfter(idOf(item), cursor))
  const page = rest.slice(0, limit)
  const last = page.at(-1)
  return { items: page, next: rest.length > limit && last !== undefined ? idOf(last) : null }
}
