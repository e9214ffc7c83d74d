import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { limits } from '../../src/index.ts'
import { never, rejectionOf } from '../store/backend.ts'
import { bytesOf, contentOf, mebibyte, textContent, textOf, thenNothing } from './backend.ts'
import type { Bench } from './conformance.ts'

const { filePartBytes } = limits

export function faultTests(bench: Bench): void {
  const nothingIsLeft = async (name: string, before = 0) => {
    expect(await bench.files().info(name, never)).toBeUndefined()
    expect(await bench.under().leftovers()).toBe(before)
  }

  test('content above the limit is refused, and the earlier file stays', async () => {
    const files = await bench.under().open({ bytesMax: 2 * filePartBytes })
    await files.write('limited', contentOf(2 * filePartBytes), never)
    const before = await files.info('limited', never)
    const error = await rejectionOf(files.write('limited', contentOf(2 * filePartBytes + 1), never))
    expect(error).toMatchObject({ name: 'TooLarge', bytesMax: 2 * filePartBytes })
    expect(await files.info('limited', never)).toEqual(before)
    expect(await bench.under().leftovers()).toBe(0)
    await files.close()
  })

  test.each([0, 3 * filePartBytes])(
    'content that fails after %d bytes leaves nothing',
    async (size) => {
      async function* failing() {
        yield* contentOf(size)
        throw new Error('cut off')
      }
      const error = await rejectionOf(bench.files().write('failing', failing(), never))
      expect(error.message).toBe('cut off')
      await nothingIsLeft('failing')
    },
  )

  test.each([1, 2 * filePartBytes])(
    'a writer that gives up after %d bytes leaves nothing',
    async (size) => {
      const giveUp = new AbortController()
      const first = Buffer.alloc(size, 1)
      const writing = bench.files().write('given/up', thenNothing(first), giveUp.signal)
      setTimeout(() => giveUp.abort(new Error('no more')), 300)
      expect((await rejectionOf(writing)).message).toBe('no more')
      await nothingIsLeft('given/up')
    },
  )

  test('content that does not come is Stalled, and leaves nothing', async () => {
    const files = await bench.under().open({ idleMs: 200 })
    const writing = files.write('stalled', thenNothing(Buffer.alloc(10)), never)
    expect((await rejectionOf(writing)).name).toBe('Stalled')
    await nothingIsLeft('stalled')
    await files.close()
  })

  test('places are bounded, and readers that leave in any way give theirs back', async () => {
    const files = await bench.under().open({ transfersMax: 1, callMs: 300, readerIdleMs: 900 })
    await files.write('place', contentOf(3 * mebibyte), never)
    const giveUp = new AbortController()
    const { content } = await files.read('place', giveUp.signal)
    const late = await rejectionOf(files.read('place', never))
    expect(late).toMatchObject({ name: 'Unavailable', part: 'files' })
    // Nobody reads it: it ends by itself.
    await delay(900)
    expect((await rejectionOf(content.next())).name).toBe('Stalled')
    const second = await files.read('place', giveUp.signal)
    await second.content.next()
    giveUp.abort(new Error('no more'))
    expect((await rejectionOf(second.content.next())).message).toBe('no more')
    const third = await files.read('place', never)
    await third.content.return?.()
    const fourth = await files.read('place', never)
    expect((await bytesOf(fourth.content)).byteLength).toBe(3 * mebibyte)
    await files.write('place', textContent('x'), never)
    await files.close()
  })

  test('an outage is Unavailable in time, and over when it is over', async () => {
    const files = await bench.under().open({ callMs: 1_500, transferMs: 1_500 })
    await files.write('outage', textContent('before'), never)
    await bench.under().takeAway()
    const beganMs = performance.now()
    const calls = [
      // Not the one that is read later: what a silent server does with these is unknown.
      files.write('outage-large', contentOf(2 * filePartBytes), never),
      files.write('outage-small', textContent('small'), never),
      files.read('outage', never),
      files.info('outage', never),
      files.list({ prefix: '', after: null, limit: 1 }, never),
      files.remove('outage-removed', never),
    ]
    for (const error of await Promise.all(calls.map(rejectionOf)))
      expect(error).toMatchObject({ name: 'Unavailable', part: 'files' })
    expect(performance.now() - beganMs).toBeLessThan(5_000)
    await bench.under().giveBack()
    const { content } = await files.read('outage', never)
    expect(await textOf(content)).toBe('before')
    await files.close()
  })

  test('after close every call is Unavailable, and what was under way is', async () => {
    // A server that was silent may have begun, much later, what nobody waited for any more.
    const before = await bench.under().leftovers()
    const files = await bench.under().open()
    await files.write('closed', contentOf(3 * mebibyte), never)
    const { content } = await files.read('closed', never)
    const writing = rejectionOf(files.write('closing', thenNothing(Buffer.alloc(9)), never))
    await files.close()
    const late = rejectionOf(files.info('closed', never))
    for (const error of [await writing, await rejectionOf(content.next()), await late])
      expect(error).toMatchObject({ name: 'Unavailable', part: 'files' })
    await nothingIsLeft('closing', before)
  })
}
