import type { FilesPlace, Refused } from '@almanac/shared'
import { describe, expect, test } from 'vitest'
import { fileOfUrl, urlOfFile } from '../../src/messages/file-urls.ts'
import { readMessage } from '../../src/messages/read-message.ts'

const bucket: FilesPlace = { kind: 's3', bucket: 'tables', prefix: 'ours/' }
const folder: FilesPlace = { kind: 'folder', path: '/srv/files' }

const refusalOf = (work: () => unknown): Refused => {
  try {
    work()
  } catch (error) {
    return error as Refused
  }
  throw new Error('it was not refused')
}

const read = (message: unknown, place: FilesPlace | null = bucket) =>
  readMessage(Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)), place)

describe('the file that a URL means', () => {
  test('is one of the bucket and prefix of files, or the path of its call', () => {
    expect(fileOfUrl('s3://tables/ours/2024/may.csv', bucket)).toBe('2024/may.csv')
    expect(fileOfUrl('/api/files/2024/may.csv', bucket)).toBe('2024/may.csv')
    expect(fileOfUrl('/api/files/2024/may.csv', folder)).toBe('2024/may.csv')
  })

  test.each([
    ['another bucket', 's3://other/ours/may.csv'],
    ['a bucket that begins alike', 's3://tables-2/ours/may.csv'],
    ['a place beside the prefix', 's3://tables/theirs/may.csv'],
    ['a prefix that begins alike', 's3://tables/ours-too/may.csv'],
    ['a way out of the prefix', 's3://tables/ours/../theirs/may.csv'],
    ['an encoded way out', 's3://tables/ours/%2e%2e/theirs/may.csv'],
    ['the prefix itself', 's3://tables/ours/'],
    ['the web', 'http://169.254.169.254/latest/meta-data'],
    ['the web, looking like ours', 'https://10.0.0.1/api/files/may.csv'],
    ['a local file', 'file:///etc/passwd'],
    ['a path that is no call', '/etc/passwd'],
    ['a way out of the call', '/api/files/../../etc/passwd'],
    ['nothing', ''],
  ])('is never %s', (_what, url) => {
    expect(refusalOf(() => fileOfUrl(url, bucket))).toMatchObject({
      ...{ status: 422, code: 'url-elsewhere', field: '/url' },
    })
  })

  test('is in no bucket where files are in a folder', () => {
    expect(refusalOf(() => fileOfUrl('s3://tables/ours/may.csv', folder)).code).toBe(
      'url-elsewhere',
    )
  })

  test('is the one that its own URL was made of', () => {
    for (const place of [bucket, folder, null])
      expect(fileOfUrl(urlOfFile('a/b.csv', place), place)).toBe('a/b.csv')
  })
})

describe('a message', () => {
  const recipe = { source: { format: 'csv' } }

  test('asks for the fit of a table, or says only where a file is', () => {
    const [spec, bounds] = [{ family: 'theta' }, { lower: 0 }]
    expect(read({ file: 'may.csv', model: 'sales', recipe, spec, bounds })).toEqual({
      ...{ kind: 'fit', model: 'sales', file: 'may.csv', recipe, spec, bounds },
    })
    expect(read({ url: 's3://tables/ours/may.csv' })).toEqual({
      ...{ kind: 'announced', file: 'may.csv' },
    })
  })

  test.each([
    ['text', 'sales', 'not-json', undefined],
    ['bytes that are no text', '\u{0}\u{1}', 'not-json', undefined],
    ['a list', [], 'not-json', undefined],
    ['null', null, 'not-json', undefined],
    ['nothing', {}, 'no-file', '/file'],
    ['a field that is not known', { file: 'a', modell: 'm' }, 'unknown-field', '/modell'],
    ['a file and a url', { file: 'a', url: '/api/files/a' }, 'invalid', '/url'],
    ['a file with a way out', { file: '../a' }, 'invalid', '/file'],
    ['a url that is a number', { url: 7 }, 'invalid', '/url'],
    ['no model', { file: 'a', recipe }, 'no-model', '/model'],
    ['a model that is no name', { file: 'a', model: 'A B', recipe }, 'invalid', '/model'],
    ['a model that is no text', { file: 'a', model: {}, recipe }, 'invalid', '/model'],
    ['no recipe', { file: 'a', model: 'm' }, 'no-recipe', '/recipe'],
  ])('that is or has %s is refused with the field at fault', (_what, message, code, field) => {
    expect(refusalOf(() => read(message))).toMatchObject({ code, field })
  })
})
