/**
 * Gathers rows over partitions that are visited in order, until there are `limit` of them. `next`
 * gives the partitions after one, a few at a time; none means the end.
 */
export async function gather<Row>(
  limit: number,
  next: (after: string | null) => Promise<readonly string[]>,
  read: (bucket: string, limit: number) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const rows: Row[] = []
  let after: string | null = null
  for (;;) {
    const buckets = await next(after)
    for (const bucket of buckets) {
      rows.push(...(await read(bucket, limit - rows.length)))
      if (rows.length >= limit) return rows
      after = bucket
    }
    if (buckets.length === 0) return rows
  }
}

/** Partitions looked up at once while walking. */
export const bucketsAtOnce = 100
