import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Handled, Message, Messages } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { type MessagesUnderTest, publishText, textOf } from './backend.ts'

const done: Handled = { kind: 'done' }

/** What every place of messages promises. */
export function messagesConformance(what: string, start: () => Promise<MessagesUnderTest>): void {
  describe(what, () => {
    let under: MessagesUnderTest
    const opened: Messages[] = []
    const open = async (options: Parameters<MessagesUnderTest['open']>[0] = {}) => {
      const messages = await under.open({ pauseMs: 20, pauseMaxMs: 100, ...options })
      opened.push(messages)
      return messages
    }
    beforeEach(async () => {
      under = await start()
    })
    afterEach(async () => {
      for (const messages of opened.splice(0)) await messages.close()
      await under.stop()
    })

    test('what is published is given with its place and time, in the order of its partition', async () => {
      const messages = await open()
      const before = Date.now() - 1_000
      const origins = []
      for (const text of ['a', 'b', 'c', 'd', 'e']) origins.push(await publishText(messages, text))
      const given: Message[] = []
      messages.consume(async (message) => {
        given.push(message)
        return done
      })
      await eventually(
        async () => given.length,
        (count) => count === 5,
      )
      expect(given.map(({ origin }) => JSON.stringify(origin)).sort()).toEqual(
        origins.map((origin) => JSON.stringify(origin)).sort(),
      )
      for (const { at } of given) {
        expect(Date.parse(at)).toBeGreaterThan(before)
        expect(Date.parse(at)).toBeLessThan(Date.now() + 1_000)
      }
      for (const inPartition of byPartition(given)) {
        const texts = inPartition.map(textOf)
        expect(texts).toEqual([...texts].sort())
      }
    })

    test('what comes while it is waited for is given at once', async () => {
      const messages = await open()
      const given: string[] = []
      messages.consume(async (message) => {
        given.push(textOf(message))
        return done
      })
      for (const text of ['first', 'second']) {
        await publishText(messages, text)
        await eventually(
          async () => given.at(-1),
          (last) => last === text,
        )
      }
    })

    test('what was consumed is not given again, what was in hand is', async () => {
      const first = await open()
      await publishText(first, 'done')
      const given: string[] = []
      let hold = false
      const handle = async (message: Message, signal: AbortSignal) => {
        given.push(textOf(message))
        if (hold) await pause(60_000, undefined, { signal })
        return done
      }
      first.consume(handle)
      await eventually(
        async () => given,
        (texts) => texts.length === 1 && first.look().waiting === 0,
      )
      hold = true
      await publishText(first, 'in hand')
      await eventually(
        async () => given.length,
        (count) => count === 2,
      )
      await first.close()
      hold = false
      const second = await open()
      await publishText(second, 'last')
      second.consume(handle)
      await eventually(
        async () => given.length,
        (count) => count === 4,
      )
      expect([...given].sort()).toEqual(['done', 'in hand', 'in hand', 'last'])
    })

    test('the message in hand is finished and consumed when the consumer stops', async () => {
      const first = await open()
      const given: string[] = []
      let finish = () => {}
      const consuming = first.consume(async (message) => {
        given.push(textOf(message))
        await new Promise<void>((resolve) => {
          finish = resolve
        })
        return done
      })
      await publishText(first, 'slow')
      await eventually(
        async () => given.length,
        (count) => count === 1,
      )
      const stopped = consuming.stop()
      finish()
      await stopped
      await first.close()
      const second = await open()
      await publishText(second, 'next')
      second.consume(async (message) => {
        given.push(textOf(message))
        return done
      })
      await eventually(
        async () => given.at(-1),
        (last) => last === 'next',
      )
      expect(given).toEqual(['slow', 'next'])
    })

    test('a message that cannot be handled at present is given again, before the next', async () => {
      const held: string[] = []
      const onEvent = (name: string) => void held.push(name)
      const messages = await open({ onEvent })
      for (const text of ['0', '1', '2', '3']) await publishText(messages, text)
      const given: Message[] = []
      let failures = 3
      messages.consume(async (message) => {
        given.push(message)
        failures -= 1
        if (failures >= 0) throw new Error('the database is away')
        return done
      })
      await eventually(
        async () => given.length,
        (count) => count === 7,
      )
      expect(new Set(given.slice(0, 4).map(textOf)).size).toBe(1)
      expect(new Set(given.map(textOf)).size).toBe(4)
      for (const inPartition of byPartition(given.slice(3))) {
        const texts = inPartition.map(textOf)
        expect(texts).toEqual([...texts].sort())
      }
      expect(held.filter((name) => name === 'message-held')).toHaveLength(3)
    })

    test('a message that cannot be used is a dead letter, and the next one goes on', async () => {
      const messages = await open()
      const poison = await publishText(messages, 'poison')
      await publishText(messages, 'good')
      const given: string[] = []
      const reason = { code: 'spoiled', detail: 'Größe unklar.', field: '/model', remedy: 'None.' }
      messages.consume(async (message) => {
        given.push(textOf(message))
        return textOf(message) === 'poison' ? { kind: 'dead', reason } : done
      })
      const letters = await eventually(
        () => under.deadLetters(messages),
        ({ length }) => length > 0,
      )
      await eventually(
        async () => given.length,
        (count) => count === 2,
      )
      expect(letters).toEqual([
        { ...letters[0], origin: poison, reason, sizeBytes: 6, at: expect.any(String) },
      ])
      expect(letters.map(textOf)).toEqual(['poison'])
      expect(Date.parse(letters[0]!.buriedAt)).toBeGreaterThanOrEqual(Date.parse(letters[0]!.at))
    })

    test('too large a message is refused, and one of others is a dead letter unread', async () => {
      const large = await open()
      await publishText(large, 'x'.repeat(1_000))
      await publishText(large, 'small')
      await large.close()
      const messages = await open({ bytesMax: 999 })
      const refused = publishText(messages, 'x'.repeat(1_000))
      await expect(refused).rejects.toMatchObject({ name: 'TooLarge', bytesMax: 999 })
      const given: string[] = []
      messages.consume(async (message) => {
        given.push(textOf(message))
        return done
      })
      const [letter] = await eventually(
        () => under.deadLetters(messages),
        ({ length }) => length > 0,
      )
      await eventually(
        async () => given.length,
        (count) => count === 1,
      )
      expect(given).toEqual(['small'])
      expect(letter).toMatchObject({ reason: { code: 'too-large' }, sizeBytes: 1_000 })
      expect(letter?.value.byteLength).toBe(0)
    })

    test('after the end nothing is taken, and ending twice does no harm', async () => {
      const messages = await open()
      await messages.close()
      await messages.close()
      await expect(publishText(messages, 'late')).rejects.toMatchObject({
        name: 'Unavailable',
        part: 'messages',
      })
    })
  })
}

const byPartition = (messages: readonly Message[]) =>
  Map.groupBy(messages, ({ origin }) => origin.partition).values()
