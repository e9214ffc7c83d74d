/**
 * Gathers rows over partitions that are visited in order, until there are `limit` of them. `next`
 * gives the partitions after one, a few at a time; none means the end.
 */
export async function gather<Bucket, Row>(
  limit: number,
  next: (after: Bucket | null) => Promise<readonly Bucket[]>,
  read: (bucket: Bucket, limit: number) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const rows: Row[] = []
  let after: Bucket | null = null
  for (;;) {
    const buckets: readonly Bucket[] = await next(after)
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
