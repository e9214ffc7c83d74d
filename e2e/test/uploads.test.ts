import { openEmbeddedMessages } from '@almanac/shared'
import { expect, onTestFinished, test } from 'vitest'
import { openFiles, salesCsv } from '../support/files.ts'
import { openLoopback, until } from '../support/loopback.ts'

async function openUploads() {
  const machine = await openLoopback()
  const files = await openFiles()
  const messages = await openEmbeddedMessages({ path: ':memory:', pauseMs: 20, pauseMaxMs: 50 })
  onTestFinished(() => messages.close())
  const { url } = await machine.broker({ files, messages })
  const upload = async (text: string) => {
    const form = new FormData()
    form.append('file', new Blob([text]), 'sales.csv')
    const answer = await fetch(`${url}/upload`, { method: 'POST', body: form })
    const body = (await answer.json()) as {
      training: { message: string; job?: string; problem?: { code: string } }
    }
    return { status: answer.status, ...body }
  }
  const jobs = async () => {
    const answer = await fetch(`${url}/api/jobs`)
    return ((await answer.json()) as { jobs: { model: string; state: string }[] }).jobs
  }
  const node = () => machine.node({ roles: ['fit', 'serve'], files })
  return { messages, upload, jobs, node }
}

test('an upload that cannot be trained on for now is trained on later, once', async () => {
  const { messages, upload, jobs, node } = await openUploads()
  const { status, training } = await upload(salesCsv())
  expect({ status, training }).toMatchObject({ status: 201, training: { problem: {} } })
  expect(training.message).toContain('a message asks for it')
  expect(training.job).toBeUndefined()
  await node()
  await until(async () => (await jobs()).some(({ state }) => state === 'done'))
  expect(await jobs()).toMatchObject([{ model: 'sales-pipeline', state: 'done' }])
  await until(() => messages.look().waiting === 0)
})

test('of an upload that is trained on, or never can be, no message is left', async () => {
  const { messages, upload, jobs, node } = await openUploads()
  await node()
  const wrong = await upload('a,b\n1,2\n')
  expect(wrong.training).toMatchObject({ problem: { code: 'missing-columns' } })
  expect(wrong.training.message).toContain('POST /train')
  expect((await upload(salesCsv())).training.job).toBeDefined()
  expect(await jobs()).toHaveLength(1)
  expect(messages.look()).toMatchObject({ waiting: 0, handled: 0 })
})
