import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Spark, startSpark } from '../../../deploy/local/spark.ts'
import { openSparkSession } from '../../src/spark/session.ts'
import { makeFolder } from '../run/tables.ts'

const token = 'of-nobody-at-all-1'
let folder: Awaited<ReturnType<typeof makeFolder>>
let spark: Spark

beforeAll(async () => {
  folder = await makeFolder()
  spark = await startSpark({ dataDir: folder.path, token })
})
afterAll(async () => {
  await spark?.stop()
  await folder.drop()
})

async function asked(said: string | null): Promise<void> {
  const at = { address: spark.address, token: said }
  const session = await openSparkSession(at, AbortSignal.timeout(60_000))
  await session.run('SELECT 1').finally(session.close)
}

test('a Spark that asks for a token takes its own, and no other', async () => {
  await asked(token)
  const message = expect.stringContaining('does not take the token')
  for (const wrong of ['of-somebody-else-1', null])
    await expect(asked(wrong)).rejects.toMatchObject({ kind: 'failed', message })
})
