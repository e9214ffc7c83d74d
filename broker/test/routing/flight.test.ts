import { expect, test } from 'vitest'
import { type Cancel, createFlights } from '../../src/routing/flight.ts'

/** Flights of which the test decides when they land. */
function setUp() {
  const flights = createFlights<string>()
  const begun: { cancel: Cancel; land: (text: string) => void; cancelled: number }[] = []
  const join = (name: string) =>
    flights.join(name, (cancel) => {
      const { promise, resolve } = Promise.withResolvers<string>()
      const flight = { cancel, land: resolve, cancelled: 0 }
      cancel.onCancel = () => {
        flight.cancelled += 1
      }
      begun.push(flight)
      return promise
    })
  return { flights, begun, join }
}

test('those who ask the same share one flight, others have their own', async () => {
  const { begun, join } = setUp()
  const [one, two] = [join('a'), join('a')]
  join('b')
  expect(begun).toHaveLength(2)
  begun[0]!.land('x')
  expect(await Promise.all([one.outcome, two.outcome])).toEqual(['x', 'x'])
})

test('a flight goes on while somebody is left, and is cancelled when nobody is', () => {
  const { begun, join } = setUp()
  const [one, two] = [join('a'), join('a')]
  one.leave()
  expect(begun[0]).toMatchObject({ cancelled: 0, cancel: { isCancelled: false } })
  two.leave()
  expect(begun[0]).toMatchObject({ cancelled: 1, cancel: { isCancelled: true } })
})

test('whoever comes after it was cancelled, or after it landed, starts another', async () => {
  const { flights, begun, join } = setUp()
  join('a').leave()
  const next = join('a')
  expect(begun).toHaveLength(2)
  begun[1]!.land('y')
  await next.outcome
  await Promise.resolve()
  expect(flights.count()).toBe(0)
  join('a')
  expect(begun).toHaveLength(3)
})
