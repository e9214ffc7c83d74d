import { describe, expect, test } from 'vitest'
import { fit, get } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { type Fault, heldBack, interruptible } from '../support/faults.ts'
import { setUp, total } from '../support/fitted.ts'

const path = '/api/models/m/forecast/3'

describe('a broker that is behind', () => {
  test('asks again for the version that the node says is serving', async () => {
    const { broker, nodes } = await setUp(1)
    nodes[0]!.script.forecast = ({ tenant, model, version }) => {
      if (version !== 1) return undefined
      // What the node knows of a later promotion, which this broker has not seen.
      const at = '2026-01-01T00:00:00Z'
      const record = JSON.stringify({
        serving: 2,
        target: 2,
        previous: 1,
        high: 2,
        hold: false,
        changes: 2,
        floor: 0,
        why: 'fit',
        createdAt: at,
        deletedAt: null,
      })
      const body = { type: 'not-loaded', tenant, model, version, record, modRevision: 1_000_000 }
      return { status: 409, body }
    }
    await nodes[0]!.say('default/m', { loaded: [1, 2] })
    const answer = await get(broker, path)
    expect(answer.status, answer.text).toBe(200)
    expect(answer.headers['x-model-version']).toBe('2')
    expect((await get(broker, path)).headers['x-model-version']).toBe('2')
    expect(nodes[0]!.asked.filter(({ version }) => version === 1)).toHaveLength(1)
  })

  test('hears of a model from the nodes while it can hear nothing else', async () => {
    const { cluster, broker: other, nodes } = await setUp(2)
    const fault: Fault = { state: 'none' }
    const { coordinator, hold } = heldBack(interruptible(cluster.coordinator, fault))
    const broker = await cluster.broker({}, { coordinator })
    hold()
    expect((await fit(other, 'new')).status).toBe(200)
    fault.state = 'stuck'
    const answer = await get(broker, '/api/models/new/forecast/3')
    expect([answer.status, answer.text], answer.text).toEqual([200, '{"data":[1,1,1]}'])
    const unknown = await get(broker, '/api/models/unknown/forecast/3')
    expect([unknown.status, unknown.body.type]).toEqual([
      503,
      'urn:almanac:problem:coordinator-away',
    ])
    const before = total(nodes)
    await Promise.all([1, 2, 3].map((n) => get(broker, `/api/models/unknown/forecast/${n}`)))
    expect(total(nodes) - before).toBeLessThanOrEqual(1)
  })

  test('hears from the nodes that a version serves which was still being fitted when it last heard', async () => {
    const { cluster, broker: other, nodes } = await setUp(2)
    const { coordinator, hold } = heldBack(cluster.coordinator)
    const broker = await cluster.broker({}, { coordinator })
    for (const node of nodes) node.script.fit = 'ignore'
    const fitting = fit(other, 'new')
    await eventually(
      () => get(broker, '/api/models/new'),
      ({ status }) => status === 200,
    )
    hold()
    for (const node of nodes) node.script.fit = 'store'
    const answer = await get(broker, '/api/models/new/forecast/3')
    expect([answer.status, answer.text], answer.text).toEqual([200, '{"data":[1,1,1]}'])
    expect((await fitting).status).toBe(200)
  })

  test('asks another node when one has lost what it registered, and lets it be for a moment', async () => {
    const { broker, nodes } = await setUp(2)
    nodes[0]!.script.forecast = ({ tenant, model, version }) => ({
      status: 409,
      body: { type: 'not-loaded', tenant, model, version, record: null, modRevision: 0 },
    })
    for (let i = 0; i < 20; i += 1) expect((await get(broker, path)).status).toBe(200)
    expect(nodes[0]!.asked.length).toBeLessThan(4)
  })
})
