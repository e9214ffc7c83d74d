import { destination, type Logger, pino } from 'pino'
import type { Clock } from '../base/clock.ts'

export type { Logger }

/**
 * One event, one line of JSON: `log.info({ event: 'version-promoted', model, version })`. Secrets
 * never reach it: headers and bodies are not logged.
 */
export function createLogger(options: { process: string; level: string }): Logger {
  return pino(
    {
      level: options.level,
      base: { process: options.process, pid: process.pid },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'event',
    },
    destination({ dest: 2, sync: false }),
  )
}

const sparingMs = 10_000

/**
 * Warns of each event at most once in ten seconds, with how many were left out: a backend that is
 * away has the same to say many times a second. Events are named by the code, so they are few.
 */
export function sparingly(logger: Logger, clock: Pick<Clock, 'monotonicMs'>) {
  const last = new Map<string, { readonly atMs: number; leftOut: number }>()
  return (event: string, fields: Readonly<Record<string, unknown>>): void => {
    const nowMs = clock.monotonicMs()
    const before = last.get(event)
    if (before && nowMs - before.atMs < sparingMs) {
      before.leftOut += 1
      return
    }
    last.set(event, { atMs: nowMs, leftOut: 0 })
    logger.warn({ event, ...fields, leftOut: before?.leftOut ?? 0 })
  }
}
