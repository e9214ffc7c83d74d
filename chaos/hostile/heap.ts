/** The heap of a process that listens for a debugger. */
type Inspected = { readonly webSocketDebuggerUrl: string }

/** A collection of a large heap on a busy machine takes seconds. */
const answerMs = 30_000

/** MB in use on the heap after all garbage is gone: what has grown is held by somebody. */
export async function heapAfterCollectionMb(inspectorPort: number): Promise<number> {
  const signal = AbortSignal.timeout(answerMs)
  const listed = await fetch(`http://127.0.0.1:${inspectorPort}/json/list`, { signal })
  const [target] = (await listed.json()) as readonly Inspected[]
  if (target === undefined) throw new Error('there is nothing to inspect')
  const socket = new WebSocket(target.webSocketDebuggerUrl)
  try {
    await ask(socket, 'open', () => {}, signal)
    await call(socket, 1, 'HeapProfiler.collectGarbage', signal)
    const { usedSize } = await call(socket, 2, 'Runtime.getHeapUsage', signal)
    return Math.round(Number(usedSize) / 1_048_576)
  } finally {
    socket.close()
  }
}

async function call(
  socket: WebSocket,
  id: number,
  method: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const data = await ask(
    socket,
    'message',
    () => socket.send(JSON.stringify({ id, method })),
    signal,
  )
  return (JSON.parse(String(data)) as { result: Record<string, unknown> }).result
}

/** Resolves with what the next event of this type brings. */
function ask(
  socket: WebSocket,
  type: 'open' | 'message',
  act: () => void,
  signal: AbortSignal,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error('the process cannot be inspected'))
    signal.addEventListener('abort', fail, { once: true })
    socket.addEventListener('error', fail, { once: true })
    const done = (event: Event) => resolve((event as MessageEvent).data)
    socket.addEventListener(type, done, { once: true })
    act()
  })
}
