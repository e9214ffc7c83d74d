import { readFileSync } from 'node:fs'

/**
 * Moves this process's wall clock by as many milliseconds as the file says, looked up at each
 * SIGUSR2. Monotonic time and timers go on as they do when somebody sets a machine's clock.
 */
export function moveClock(file: string): void {
  let offsetMs = 0
  const look = () => {
    const read = Number(readFileSync(file, 'utf8'))
    if (Number.isFinite(read)) offsetMs = read
  }
  const RealDate = Date
  const now = () => RealDate.now() + offsetMs
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: readonly unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
    apply: () => new RealDate(now()).toString(),
    get: (target, key, receiver) =>
      key === 'now' ? now : (Reflect.get(target, key, receiver) as unknown),
  })
  look()
  process.on('SIGUSR2', look)
}
