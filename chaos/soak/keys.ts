import { type Coordinator, parseKey } from '@almanac/shared'

/** How many keys there are of each kind. */
export async function keysByKind(coordinator: Coordinator): Promise<Record<string, number>> {
  const { entries } = await coordinator.list('/', AbortSignal.timeout(10_000))
  const counts: Record<string, number> = {}
  for (const { key } of entries) {
    const { kind } = parseKey(key)
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}
