import { expect } from 'vitest'
import { fit, openCluster } from './cluster.ts'
import type { FakeNode } from './fake-node.ts'

/** A broker and nodes with one fitted model. */
export async function setUp(nodes = 2, bounds = {}) {
  const cluster = await openCluster()
  const all: FakeNode[] = []
  for (let i = 0; i < nodes; i += 1) all.push(await cluster.node())
  const broker = await cluster.broker({ responseCacheBytes: 0, ...bounds })
  const made = await fit(broker, 'm')
  expect(made.status, made.text).toBe(200)
  return { cluster, nodes: all, broker }
}

/** Forecasts that the nodes were asked for. */
export const total = (nodes: readonly FakeNode[]) =>
  nodes.reduce((sum, node) => sum + node.asked.length, 0)
