import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFolderFiles } from '@almanac/shared'
import { expect, onTestFinished, test } from 'vitest'
import { call, get, openCluster, type TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'

const signal = () => AbortSignal.timeout(5_000)
const look = { file: 'sales.csv', format: 'csv', recipe: null, notes: [] }
const problem = (status: number, code: string) => ({
  status,
  body: { type: `urn:almanac:problem:${code}`, title: 'A title', status, detail: 'Why.' },
})

async function withFile(cluster: TestCluster, bounds: { looksMax?: number } = {}) {
  const path = await mkdtemp(join(tmpdir(), 'almanac-files-'))
  const files = await openFolderFiles({ path })
  onTestFinished(async () => {
    await files.close()
    await rm(path, { recursive: true })
  })
  const content = (async function* () {
    yield Buffer.from('date,sold\n')
  })()
  await files.write('sales.csv', content, signal())
  return await cluster.broker(bounds, { files })
}

const ask = (broker: { url: string }, body: unknown) =>
  call(broker, 'POST', '/api/tables/look', { body })

async function withNodes(count: number) {
  const cluster = await openCluster()
  const nodes = []
  for (let i = 0; i < count; i++) nodes.push(await cluster.node({ roles: ['fit'] }))
  const broker = await withFile(cluster)
  await eventually(
    async () => (await get(broker, '/api/nodes')).body.nodes as unknown[],
    (known) => known.length === count,
  )
  return { broker, nodes }
}

test('what a node says of a file is passed on', async () => {
  const { broker, nodes } = await withNodes(1)
  nodes[0]!.script.look = { status: 200, body: look }
  const source = { format: 'csv', delimiter: ';' }
  const answer = await ask(broker, { file: 'sales.csv', source })
  expect([answer.status, answer.body]).toEqual([200, look])
  expect(answer.headers['content-type']).toContain('application/json')
  expect(nodes[0]!.looks).toEqual([{ file: 'sales.csv', source }])
})

test('a node that breaks, is busy or of an earlier release is one of several', async () => {
  const { broker, nodes } = await withNodes(3)
  for (const node of nodes) node.script.look = { status: 200, body: look }
  const sayings = ['cut', problem(429, 'looks-full'), undefined] as const
  for (const said of sayings) {
    for (const node of nodes.slice(0, 2)) {
      if (said === undefined) delete node.script.look
      else node.script.look = said
    }
    expect((await ask(broker, { file: 'sales.csv' })).status).toBe(200)
  }
})

test('what every node would say ends it, in the words of the first', async () => {
  const { broker, nodes } = await withNodes(2)
  for (const node of nodes) node.script.look = problem(422, 'not-a-table')
  const answer = await ask(broker, { file: 'sales.csv' })
  const { type, detail } = problem(422, 'not-a-table').body
  expect(answer.body).toMatchObject({ type, detail })
  expect(nodes[0]!.looks.length + nodes[1]!.looks.length).toBe(1)
})

test('when all are busy, or nobody fits, it may be asked again', async () => {
  const { broker, nodes } = await withNodes(2)
  for (const node of nodes) node.script.look = problem(429, 'looks-full')
  const busy = await ask(broker, { file: 'sales.csv' })
  expect([busy.status, busy.headers['retry-after']]).toEqual([503, '1'])
  for (const node of nodes) await node.loseLease()
  await eventually(
    () => ask(broker, { file: 'sales.csv' }),
    ({ status, body }) => status === 503 && body.type === 'urn:almanac:problem:no-node',
  )
})

test.each([
  ['no object', [], ''],
  ['another field', { file: 'sales.csv', recipe: {} }, '/recipe'],
  ['no file', {}, '/file'],
  ['no name of a file', { file: '../x' }, '/file'],
  ['no format', { file: 'sales.csv', source: { delimiter: ';' } }, '/source/format'],
  [
    'a wrong delimiter',
    { file: 'sales.csv', source: { format: 'csv', delimiter: ';;' } },
    '/source/delimiter',
  ],
])('a question with %s is refused before anybody is asked', async (_, body, field) => {
  const { broker, nodes } = await withNodes(1)
  const answer = await ask(broker, body)
  expect([answer.status, answer.body.field]).toEqual([422, field])
  expect(nodes[0]!.looks).toEqual([])
})

test('without the file it is a 404, without a place for files a 409', async () => {
  const cluster = await openCluster()
  const broker = await withFile(cluster)
  const missing = await ask(broker, { file: 'other.csv' })
  expect([missing.status, missing.body.type]).toEqual([404, 'urn:almanac:problem:no-such-file'])
  const answer = await ask(await cluster.broker(), { file: 'sales.csv' })
  expect([answer.status, answer.body.type]).toEqual([409, 'urn:almanac:problem:no-place-for-files'])
})

test('one more than as many as may be is refused', async () => {
  const cluster = await openCluster()
  const node = await cluster.node({ roles: ['fit'] })
  node.script.look = { status: 200, body: look }
  const broker = await withFile(cluster, { looksMax: 0 })
  const answer = await ask(broker, { file: 'sales.csv' })
  expect([answer.status, answer.body.type]).toEqual([503, 'urn:almanac:problem:too-many-looks'])
})
