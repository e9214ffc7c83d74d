import { headers as names } from '@almanac/shared'
import { expect, test } from 'vitest'
import { seedManySeries } from '../../../e2e/support/many-series.ts'
import { get, openCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'

const path = '/api/models/sales/forecasts/2'

async function setUp(count = 2) {
  const cluster = await openCluster()
  await seedManySeries(cluster, { shards: 1, products: 2 })
  const nodes = await Promise.all(Array.from({ length: count }, () => cluster.node()))
  const broker = await cluster.broker({ nodeWaitMs: 500 })
  const look = async () => (await get(broker, '/api/models/sales')).body.nodes
  await eventually(look, (said) =>
    (said as { loaded: number[] }[]).every(({ loaded }) => loaded.length > 0),
  )
  return { nodes, broker }
}

test('an answer that does not say how to go on is no answer', async () => {
  const { broker, nodes } = await setUp()
  for (const node of nodes)
    node.script.forecast = () => ({ status: 200, version: 1, body: { series: 'a' } })
  const { status, body } = await get(broker, path)
  expect([status, body.detail]).toEqual([503, expect.stringContaining('in part')])
})

test('another node is asked where one is overloaded', async () => {
  const { broker, nodes } = await setUp()
  for (const node of nodes) node.script.forecast = () => ({ status: 503 })
  const { status, headers } = await get(broker, path)
  expect([status, headers['retry-after']]).toEqual([503, '1'])
  for (const node of nodes) expect(node.asked.length).toBeGreaterThan(0)
})

test('what a node refuses is told in its words, and it is asked once', async () => {
  const { broker, nodes } = await setUp()
  const problem = {
    ...{
      type: 'urn:almanac:problem:no-such-shard',
      title: 'x',
      status: 404,
      detail: 'It said so.',
    },
  }
  for (const node of nodes) node.script.forecast = () => ({ status: 404, body: problem })
  const { status, body, headers } = await get(broker, path)
  expect([status, body.type, body.detail]).toEqual([404, problem.type, problem.detail])
  expect(headers[names.requestId]).toBe(body.requestId)
  expect(nodes.reduce((sum, node) => sum + node.asked.length, 0)).toBe(1)
})
