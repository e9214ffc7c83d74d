/**
 * From now on `Date` tells what `setOffset` was told last on top of the real time. Monotonic time
 * and timers go on as they do when somebody sets a machine's clock.
 */
export function movableClock(): { readonly setOffset: (ms: number) => void } {
  let offsetMs = 0
  const RealDate = Date
  const now = () => RealDate.now() + offsetMs
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: readonly unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
    apply: () => new RealDate(now()).toString(),
    get: (target, key, receiver) =>
      key === 'now' ? now : (Reflect.get(target, key, receiver) as unknown),
  })
  return {
    setOffset: (ms) => {
      offsetMs = ms
    },
  }
}
