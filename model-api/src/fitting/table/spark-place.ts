import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Clock, type Files, type FilesPlace, Unavailable } from '@almanac/shared'
import type { SparkPlace } from '@almanac/tables'
import { bounds } from '../../config/bounds.ts'

/** Makes places that this node and Spark both see, each for one run. */
export type SparkStage = { readonly place: (signal: AbortSignal) => Promise<SparkPlace> }

/** In a folder that both have at the same path. Its rights are those of what is made in it. */
export function folderStage(path: string, clock: Clock): SparkStage {
  return {
    place: async () => {
      const name = nameOf(clock)
      const own = join(path, name)
      await reaching(async () => {
        await mkdir(join(own, 'parts'), { recursive: true })
        const { mode } = await stat(path)
        for (const made of [own, join(own, 'parts')]) await chmod(made, mode & 0o7777)
        // What cannot be removed, as it belongs to Spark's own user, is no fault of this run.
        const old = (await readdir(path)).filter((other) => isOver(other, clock))
        for (const other of old.slice(0, bounds.sparkPlacesMax))
          await rm(join(path, other), { recursive: true, force: true }).catch(() => {})
      })
      return {
        url: pathToFileURL(own).href,
        put: (file, from) =>
          reaching(async () => {
            const to = join(own, file)
            await mkdir(dirname(to), { recursive: true })
            // Spark passes over names that begin with a dot.
            const draft = join(dirname(to), `.${randomUUID()}`)
            await copyFile(from, draft)
            await rename(draft, to)
          }),
        drop: () => rm(own, { recursive: true, force: true }).catch(() => {}),
      }
    },
  }
}

/** In a bucket, which Spark calls by the name of its own client for it. */
export function bucketStage(
  files: Files,
  { bucket, prefix }: Extract<FilesPlace, { kind: 's3' }>,
  clock: Clock,
): SparkStage {
  const removeAll = async (named: string, isMeant: (name: string) => boolean) => {
    const signal = AbortSignal.timeout(bounds.sparkPlaceCallMs)
    let after: string | null = null
    do {
      const page = await files.list({ prefix: named, after, limit: bounds.sparkPlacesMax }, signal)
      for (const { name } of page.files) if (isMeant(name)) await files.remove(name, signal)
      after = page.next
    } while (after !== null)
  }
  return {
    place: async () => {
      const own = nameOf(clock)
      await removeAll('run-', (name) => isOver(name.split('/')[0]!, clock))
      return {
        url: `s3a://${bucket}/${prefix}${own}`,
        put: async (file, from, signal) => {
          await files.write(`${own}/${file}`, createReadStream(from), signal)
        },
        drop: () => removeAll(`${own}/`, () => true).catch(() => {}),
      }
    },
  }
}

/** When it was begun is in the name, as an object store has no folders with a time. */
function nameOf(clock: Clock): string {
  return `run-${Date.parse(clock.wallTime())}-${randomUUID()}`
}

function isOver(name: string, clock: Clock): boolean {
  const begun = Number(/^run-(\d{13})-/.exec(name)?.[1] ?? Number.NaN)
  return Date.parse(clock.wallTime()) - begun > bounds.sparkPlaceMs
}

/** A folder that is away comes back, as one over a network does. */
async function reaching<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new Unavailable('spark', 'the place of the parts for Spark cannot be used', {
      cause: error,
    })
  }
}
