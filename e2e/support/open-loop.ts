const tickMs = 10

/**
 * Sends so many a second, whatever became of those before (open loop): who waits for answers first
 * sends the less the slower they are, and never sees how slow. `send` is given 0, 1, … and must not
 * reject. `stop` resolves after the last answer.
 */
export function openLoop(
  perSecond: number,
  send: (n: number) => Promise<unknown>,
): { readonly stop: () => Promise<void> } {
  const open = new Set<Promise<unknown>>()
  const startedMs = performance.now()
  let sent = 0
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) / 1_000) * perSecond)
    for (; sent < due; sent++) {
      const request: Promise<unknown> = send(sent).finally(() => open.delete(request))
      open.add(request)
    }
  }, tickMs)
  return {
    stop: async () => {
      clearInterval(timer)
      await Promise.all(open)
    },
  }
}
