import { CqlConnection } from '../../shared/src/store/cql/connection.ts'
import type { Topology } from '../topology/topology.ts'

export const keyspace = 'almanac'

type Row = { readonly [column: string]: unknown }

export type Run = (query: string, parameters?: readonly unknown[]) => Promise<readonly Row[]>

/** Works on the tables themselves, past every proxy and past the store's own code. */
export async function withTables<T>(
  topology: Topology,
  work: (run: Run) => Promise<T>,
): Promise<T> {
  const connection = new CqlConnection({
    contactPoints: [topology.cql.url],
    localDataCenter: 'datacenter1',
    keyspace,
    callTimeoutMs: 10_000,
  })
  const run: Run = (query, parameters = []) =>
    connection.execute(
      { query, parameters, size: 'row', rowsMax: 1_000 },
      AbortSignal.timeout(15_000),
    )
  try {
    return await work(run)
  } finally {
    await connection.close()
  }
}
