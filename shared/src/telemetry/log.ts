import { destination, type Logger, pino } from 'pino'

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
