import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const execute = promisify(execFile)
const images = join(import.meta.dirname, '../images')

let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'almanac-images-'))
  file = join(folder, 'token')
})

afterEach(() => rm(folder, { recursive: true, force: true }))

describe('make-token.sh', () => {
  const makeToken = (env: Record<string, string> = {}) => start('make-token.sh', [file], env)

  test('draws a token of 32 bytes that only its owner reads', async () => {
    await makeToken()
    expect(await readFile(file, 'utf8')).toMatch(/^[0-9a-f]{64}$/)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['token'])
  })

  test('keeps the token that is there', async () => {
    await makeToken()
    const first = await readFile(file, 'utf8')
    await makeToken()
    expect(await readFile(file, 'utf8')).toBe(first)
  })

  test('two tokens drawn apart differ', async () => {
    await makeToken()
    const first = await readFile(file, 'utf8')
    await rm(file)
    await makeToken()
    expect(await readFile(file, 'utf8')).not.toBe(first)
  })

  test('a token that is given replaces the one that is there', async () => {
    await makeToken()
    await makeToken({ ALMANAC_TOKEN: 'given, and long enough' })
    expect(await readFile(file, 'utf8')).toBe('given, and long enough')
  })
})

describe('entrypoint.sh', () => {
  const tokenSeen = async (env: Record<string, string>) =>
    (await start('entrypoint.sh', ['sh', '-c', 'printf %s "$ALMANAC_TOKEN"'], env)).stdout

  test('hands the token of a file to the command', async () => {
    await writeFile(file, 'of $the file')
    expect(await tokenSeen({ ALMANAC_TOKEN_FILE: file })).toBe('of $the file')
  })

  test('a token in the environment goes before that of a file', async () => {
    await writeFile(file, 'of the file')
    expect(await tokenSeen({ ALMANAC_TOKEN_FILE: file, ALMANAC_TOKEN: 'given' })).toBe('given')
  })

  test('does not start the command when the file cannot be read, and names it', async () => {
    const started = tokenSeen({ ALMANAC_TOKEN_FILE: join(folder, 'missing') })
    await expect(started).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('ALMANAC_TOKEN_FILE'),
    })
  })

  test('becomes the command, so that the command gets the signals', async () => {
    const { stdout } = await start('entrypoint.sh', ['sh', '-c', 'ps -o args= -p $PPID'], {})
    expect(stdout).not.toBe('')
    expect(stdout).not.toContain('entrypoint.sh')
  })
})

function start(script: string, args: readonly string[], env: Record<string, string>) {
  const path = { PATH: process.env.PATH ?? '' }
  return execute('sh', [join(images, script), ...args], {
    env: { ...path, ...env },
    timeout: 5_000,
  })
}
