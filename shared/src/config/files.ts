import { resolve } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import { openFolderFiles } from '../files/folder/open.ts'
import type { Files } from '../files/port.ts'
import { type Logger, sparingly } from '../telemetry/log.ts'
import { integer, optionalText } from './kinds.ts'
import type { Setting, Settings } from './settings.ts'

/** Where files are: a folder, or a bucket and what names begin with there. */
export type FilesPlace =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string }

type Named = { readonly flag: string; readonly env: string; readonly help: string }

/** A folder, or a bucket of an object store. */
export const filesPlace = (base: Named): Setting<FilesPlace | null> => ({
  ...base,
  shape: 'DIR|s3://BUCKET/PREFIX',
  fallback: null,
  parse: (value) => {
    if (!value.includes('://')) return { value: { kind: 'folder', path: resolve(value) } }
    const found = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([A-Za-z0-9._/-]*))?$/.exec(value)
    if (found === null) return { fault: `"${value}" is neither a folder nor s3://BUCKET/PREFIX` }
    const [, bucket = '', prefix = ''] = found
    return { value: { kind: 's3', bucket, prefix: prefix.replace(/\/*$/, prefix ? '/' : '') } }
  },
})

/** What every process is told of the files that users bring. */
export const filesSettings = {
  files: filesPlace({
    flag: 'files',
    env: 'ALMANAC_FILES',
    help: 'Where files that users bring are kept: the same for all brokers and nodes.',
  }),
  filesEndpoint: optionalText({
    flag: 'files-endpoint',
    env: 'ALMANAC_FILES_ENDPOINT',
    shape: 'URL',
    help: 'The object store, unless it is that of AWS; region and keys as AWS_… variables.',
  }),
  fileMbMax: integer({
    flag: 'file-mb-max',
    env: 'ALMANAC_FILE_MB_MAX',
    fallback: limits.fileBytesMax / 1_048_576,
    minimum: 1,
    maximum: 65_536,
    help: 'The largest file that is taken.',
  }),
} as const

export type FilesSettings = Settings<typeof filesSettings>

/** What is wrong with these settings that are each fine. */
export function checkFilesSettings({ files, filesEndpoint }: FilesSettings): readonly string[] {
  if (filesEndpoint === null) return []
  if (!/^https?:\/\/[^\s/]+\/?$/.test(filesEndpoint))
    return [`--files-endpoint: "${filesEndpoint}" is not like http://10.0.0.5:9000`]
  return files?.kind === 's3' ? [] : ['--files-endpoint goes with --files s3://BUCKET/PREFIX']
}

/** Opens what the settings name; undefined when they name nothing. */
export async function openFiles(
  { files, filesEndpoint, fileMbMax }: FilesSettings,
  logger: Logger,
  clock: Clock,
): Promise<Files | undefined> {
  if (files === null) return undefined
  const common = { bytesMax: fileMbMax * 1_048_576, clock, onEvent: sparingly(logger, clock) }
  if (files.kind === 'folder') return await openFolderFiles({ ...common, path: files.path })
  // Who has no object store does not load its client.
  const { openS3Files } = await import('../files/s3/open.ts')
  const { bucket, prefix } = files
  return openS3Files({ ...common, bucket, prefix, endpoint: filesEndpoint })
}
