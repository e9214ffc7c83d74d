import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openEmbeddedMessages } from '../../src/messages/embedded/open.ts'
import { startChild } from '../support/child.ts'
import { type MessagesUnderTest, never, publishText, textOf } from './backend.ts'
import { messagesConformance } from './conformance.ts'

const folders: string[] = []

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})

async function freshPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'almanac-messages-'))
  folders.push(folder)
  return join(folder, 'deep', 'messages.sqlite')
}

async function startEmbedded(): Promise<MessagesUnderTest> {
  const path = await freshPath()
  return {
    open: (options = {}) => openEmbeddedMessages({ ...options, path }),
    deadLetters: async (messages) => {
      const page = await messages.deadLetters({ before: null, limit: 100 }, never)
      return [...page!.letters].reverse()
    },
    stop: async () => {},
  }
}

messagesConformance('messages in a log of SQLite', startEmbedded)

test('dead letters are listed by page, newest first', async () => {
  const messages = await openEmbeddedMessages({ path: await freshPath() })
  for (let i = 0; i < 5; i += 1) await publishText(messages, `message ${i}`)
  const reason = { code: 'spoiled', detail: 'It is.' }
  messages.consume(async () => ({ kind: 'dead', reason }))
  await expect.poll(() => messages.look().waiting).toBe(0)
  const texts: string[] = []
  let before: string | null = null
  do {
    const page = await messages.deadLetters({ before, limit: 2 }, never)
    texts.push(...page!.letters.map(textOf))
    before = page!.next
  } while (before !== null)
  expect(texts).toEqual([4, 3, 2, 1, 0].map((i) => `message ${i}`))
  await messages.close()
})

test('what was acknowledged survives the process, and its place is never taken again', async () => {
  const path = await freshPath()
  const child = startChild(join(import.meta.dirname, 'children/publish.ts'), [path])
  await expect.poll(() => child.lines.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(3)
  const lines = child.lines.slice(0, 3)
  await child.kill()
  const messages = await openEmbeddedMessages({ path })
  const given: string[] = []
  const consuming = messages.consume(async (message) => {
    given.push(`${message.origin.offset} ${textOf(message)}`)
    return { kind: 'done' }
  })
  await expect.poll(() => given.length).toBeGreaterThanOrEqual(3)
  expect(given.slice(0, 3)).toEqual(lines)
  await consuming.stop()
  const last = Number(given.at(-1)!.split(' ')[0])
  await messages.close()
  const again = await openEmbeddedMessages({ path })
  expect(Number((await publishText(again, 'new')).offset)).toBeGreaterThan(last)
  await again.close()
})

test('a file that is in use, or is none, is refused with its name', async () => {
  const path = await freshPath()
  const messages = await openEmbeddedMessages({ path })
  await expect(openEmbeddedMessages({ path })).rejects.toThrow(path)
  await messages.close()
  await writeFile(path, 'in the place of a database, and long enough to be taken for one')
  await expect(openEmbeddedMessages({ path })).rejects.toThrow(path)
})
