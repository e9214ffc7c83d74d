import { flushCompileCache } from 'node:module'
import { limits } from '../base/limits.ts'
import type { Logger } from '../telemetry/log.ts'
import { choice, secret } from './kinds.ts'
import { helpText, readSettings, type Setting, type Settings } from './settings.ts'

/** What every process is told about itself. */
export const processSettings = {
  token: secret({
    flag: 'token',
    env: 'ALMANAC_TOKEN',
    help: 'Shared by brokers and nodes; required when one of them listens off loopback.',
  }),
  logLevel: choice({
    flag: 'log-level',
    env: 'ALMANAC_LOG_LEVEL',
    choices: ['debug', 'info', 'warn', 'error', 'silent'],
    fallback: 'info',
    help: 'The least severe events that are logged.',
  }),
} as const

/** Settings of the command line and environment, or the end of the process with the reasons. */
export function settingsOrExit<D extends { readonly [K in keyof D]: Setting }>(
  usage: string,
  definitions: D,
  check: (settings: Settings<D>) => readonly string[],
  argv: readonly string[] = process.argv.slice(2),
): Settings<D> {
  const outcome = readSettings(definitions, argv, process.env)
  if (outcome.kind === 'help') {
    process.stdout.write(helpText(usage, definitions))
    process.exit(0)
  }
  const faults = outcome.kind === 'faults' ? outcome.faults : check(outcome.settings)
  if (outcome.kind === 'settings' && faults.length === 0) return outcome.settings
  const list = faults.map((fault) => `  - ${fault}`).join('\n')
  process.stderr.write(`Cannot start:\n${list}\nTry --help.\n`)
  process.exit(2)
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/**
 * Writes down what was compiled, where NODE_COMPILE_CACHE says, once everything is loaded. Node
 * does so when a process ends in order, which those that are killed do not.
 */
export function keepCompiled(): void {
  setTimeout(flushCompileCache, loadedMs).unref()
}

/** What is needed now and then is loaded by then, too. */
const loadedMs = 5_000

/** For closing connections after a drain that took all its time. */
const exitMs = 2_000

/** The first SIGTERM or SIGINT drains and exits, the second exits at once. */
export function stopOnSignals(
  part: { drain(): Promise<void> },
  close: () => Promise<void>,
  logger: Logger,
): void {
  let isAsked = false
  const stop = (signal: NodeJS.Signals) => {
    if (isAsked) process.exit(130)
    isAsked = true
    logger.info({ event: 'stopping', signal })
    // Whatever hangs, the process ends by then.
    setTimeout(() => process.exit(1), limits.drainAnswerMs + limits.drainMs + exitMs).unref()
    part
      .drain()
      .then(close)
      .then(
        () => process.exit(0),
        (error) => {
          logger.error({ event: 'stopped-badly', err: error })
          process.exit(1)
        },
      )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}
