import { expect, test } from 'vitest'
import { checkHistory, faultsOf } from '../../linearizability/check.ts'
import { rightHistory } from './right-model.ts'

test.each([0, 0.02])(
  'what a right system does is never called wrong (%d unknown)',
  async (share) => {
    const history = Array.from({ length: 150 }, (_, seed) =>
      rightHistory(seed, 120, share).map((each) => ({ ...each, model: `seed ${seed}` })),
    ).flat()
    const verdict = await checkHistory(history)
    expect(faultsOf(verdict)).toEqual([])
    expect(verdict).toMatchObject({ verdict: 'ok', models: 150 })
  },
)

test('one wrong thing in a right history is noticed in most places', async () => {
  const history = Array.from({ length: 60 }, (_, seed) => {
    const right = rightHistory(seed, 200, 0)
    const reads = right.filter(({ act }) => act.kind === 'read' && act.found !== null)
    const wrong = reads[Math.floor(reads.length / 2)]
    return right.map((each) => {
      const { act } = each
      if (each !== wrong || act.kind !== 'read' || act.found === null) {
        return { ...each, model: `seed ${seed}` }
      }
      const found = { ...act.found, hold: !act.found.hold }
      return { ...each, model: `seed ${seed}`, act: { kind: 'read' as const, found } }
    })
  }).flat()
  const { illegal } = await checkHistory(history)
  // Where a rollback or a release overlaps, either may be true.
  expect(illegal.length).toBeGreaterThan(30)
})
