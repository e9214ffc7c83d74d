import { type FilesPlace, isFileName, Refused } from '@almanac/shared'

/**
 * The file that a URL in a message means: `s3://BUCKET/KEY` inside of the place of files, or the
 * path of its call, `/api/files/NAME`. Throws `Refused` on every other: nothing is fetched from
 * where a message says, so that nobody reaches with it what this process reaches.
 */
export function fileOfUrl(url: string, place: FilesPlace | null): string {
  const name = /^\/api\/files\/(.+)$/.exec(url)?.[1] ?? nameInBucket(url, place)
  if (name !== undefined && isFileName(name)) return name
  const detail = `${JSON.stringify(url.slice(0, 200))} is no file that is kept here.`
  throw new Refused(422, 'url-elsewhere', detail, {
    field: '/url',
    remedy:
      'Nothing is fetched from elsewhere. Upload it by PUT /api/files/{name}, or into the bucket ' +
      'that --files names, and send its name as file.',
  })
}

/** How a message names a file that is kept here. */
export function urlOfFile(name: string, place: FilesPlace | null): string {
  if (place?.kind !== 's3') return `/api/files/${name}`
  return `s3://${place.bucket}/${place.prefix}${name}`
}

function nameInBucket(url: string, place: FilesPlace | null): string | undefined {
  if (place?.kind !== 's3') return undefined
  const root = `s3://${place.bucket}/${place.prefix}`
  return url.startsWith(root) ? url.slice(root.length) : undefined
}
