import { call } from '../../e2e/support/client.ts'

export type Listed = {
  readonly items: number
  readonly pages: number
  readonly firstMs: number
  readonly slowestMs: number
  readonly violations: readonly string[]
}

/** Walks a list to its end by its cursor: everything comes once, and in order. */
export async function walk(
  url: string,
  path: string,
  field: 'models' | 'jobs',
  idOf: (item: Record<string, unknown>) => string,
): Promise<Listed> {
  const ids: string[] = []
  const tookMs: number[] = []
  let cursor: string | null = null
  do {
    const query: string = cursor === null ? '' : `?cursor=${encodeURIComponent(cursor)}`
    const startedMs = performance.now()
    const { status, text } = await call('GET', `${url}${path}${query}`)
    tookMs.push(performance.now() - startedMs)
    if (status !== 200) throw new Error(`${path}${query}: ${status} ${text.slice(0, 300)}`)
    const page = JSON.parse(text) as { next: string | null } & Record<typeof field, never[]>
    for (const item of page[field]) ids.push(idOf(item))
    cursor = page.next
  } while (cursor !== null && tookMs.length < pagesMax)
  const twice = ids.length - new Set(ids).size
  return {
    items: ids.length,
    pages: tookMs.length,
    firstMs: round(tookMs[0] ?? 0),
    slowestMs: round(Math.max(...tookMs)),
    violations: twice > 0 ? [`${path}: ${twice} came twice`] : [],
  }
}

const pagesMax = 10_000

const round = (ms: number) => Math.round(ms * 10) / 10
