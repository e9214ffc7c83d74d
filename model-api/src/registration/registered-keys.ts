import { type Coordinator, type Lease, nodeKey, type Operation, put, remove } from '@almanac/shared'

/** Keys and values; of a key that is not this lease's the value is not known. */
export type Written = Map<string, string | null>

/** Operations in one transaction: values may be some kB, a transaction may not be a MB. */
const operationsMax = 32

/** What stands under a node's own keys, this lease's or a former one's. */
export async function readWritten(
  coordinator: Coordinator,
  node: string,
  lease: Lease,
): Promise<Written> {
  const key = nodeKey(node)
  const [own, below] = await Promise.all([
    coordinator.get(key, lease.lost),
    // With the slash: the next node's port may begin with this one's digits.
    coordinator.list(`${key}/`, lease.lost),
  ])
  const entries = own ? [own, ...below.entries] : below.entries
  return new Map(entries.map((entry) => [entry.key, entry.lease === lease.id ? entry.value : null]))
}

/**
 * What to do so that exactly the wanted keys stand there, in transactions of bounded size; of some
 * keys only where only those have changed.
 */
export function differences(
  wanted: ReadonlyMap<string, string>,
  written: Written,
  lease: string,
  among?: Iterable<string>,
): readonly (readonly Operation[])[] {
  const operations: Operation[] = []
  for (const key of among ?? wanted.keys()) {
    const value = wanted.get(key)
    if (value !== undefined && written.get(key) !== value) operations.push(put(key, value, lease))
  }
  for (const key of among ?? written.keys())
    if (!wanted.has(key) && written.has(key)) operations.push(remove(key))
  const chunks: Operation[][] = []
  for (let i = 0; i < operations.length; i += operationsMax)
    chunks.push(operations.slice(i, i + operationsMax))
  return chunks
}

/** Takes over what one transaction did. */
export function remember(written: Written, operations: readonly Operation[]): void {
  for (const operation of operations) {
    if (operation.kind === 'put') written.set(operation.key, operation.value)
    else written.delete(operation.key)
  }
}
