/**
 * The first `count` texts in order, of those after `cursor`. Looks at each once and sorts none that
 * is not among them: a page of a hundred must not cost the sorting of ten thousand.
 */
export function firstInOrder(
  texts: Iterable<string>,
  count: number,
  cursor: string | null = null,
): string[] {
  const first: string[] = []
  for (const text of texts) {
    if (cursor !== null && text <= cursor) continue
    const last = first.at(-1)
    if (first.length === count && last !== undefined && text >= last) continue
    first.splice(placeOf(text, first), 0, text)
    if (first.length > count) first.pop()
  }
  return first
}

/** The names of some models, for people who asked for another one. */
export function someNames(names: Iterable<string>): string {
  const first = firstInOrder(names, namesTold + 1)
  return first.slice(0, namesTold).join(', ') + (first.length > namesTold ? ', …' : '')
}

const namesTold = 5

function placeOf(text: string, sorted: readonly string[]): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < text) low = middle + 1
    else high = middle
  }
  return low
}
