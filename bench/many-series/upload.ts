import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { request } from 'undici'

/** Sends a file to the broker; how long it took, and its size. */
export async function upload(url: string, name: string, file: string) {
  const { size } = await stat(file)
  const startedMs = performance.now()
  const { statusCode, body } = await request(`${url}/api/files/${name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) },
    body: createReadStream(file, { highWaterMark: 1_048_576 }),
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  const text = await body.text()
  if (statusCode >= 300) throw new Error(`${statusCode} ${text}`)
  return { seconds: (performance.now() - startedMs) / 1_000, megabytes: size / 1_048_576 }
}
