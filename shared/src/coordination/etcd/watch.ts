import type { Etcd3, IDuplexStream, IWatchRequest, IWatchResponse } from 'etcd3'
import type { Clock } from '../../base/clock.ts'
import { limits } from '../../base/limits.ts'
import { backoffMs, type Random } from '../../base/random.ts'
import type { Watch, WatchEvent } from '../port.ts'
import type { Connection, OnEtcdEvent } from './connection.ts'
import { messageOf } from './faults.ts'
import { readPosition, readPrefix } from './read.ts'
import { type Keys, rangeOf } from './translate.ts'
import { createWatchReader } from './watch-reader.ts'

export type WatchParts = {
  readonly connection: Connection
  readonly keys: Keys
  readonly clock: Clock
  readonly random: Random
  readonly callTimeoutMs: number
  readonly closed: AbortSignal
  readonly onEvent: OnEtcdEvent
}

/** How far a watch has come, and in which cluster. */
type Resume = { readonly clusterId: string; readonly revision: number }

/**
 * Follows a prefix across broken connections, restarts, silent servers and lost history. The resume
 * point is moved only by what was delivered, so that nothing is missed and nothing comes twice.
 */
export function watchEtcd(
  parts: WatchParts,
  prefix: string,
  listener: (event: WatchEvent) => void,
  onStopped: () => void,
): Watch {
  const { clock, closed, onEvent } = parts
  const stopping = new AbortController()
  const stopped = AbortSignal.any([stopping.signal, closed])
  let heardMs = clock.monotonicMs()
  let resume: Resume | undefined

  const hear = () => {
    heardMs = clock.monotonicMs()
  }
  const deliver = (event: WatchEvent) => {
    if (stopped.aborted) return
    try {
      listener(event)
    } catch (error) {
      // A listener that throws is a bug of its owner: it must end the process, not the watch.
      queueMicrotask(() => {
        throw error
      })
    }
  }

  async function start(): Promise<Resume> {
    const { clusterId, ...snapshot } = await readPrefix(
      parts.connection,
      parts.keys,
      prefix,
      stopped,
    )
    hear()
    resume = { clusterId, revision: snapshot.revision }
    deliver({ kind: 'snapshot', ...snapshot })
    return resume
  }

  /** History is gone when the cluster is another one, or the same one with less in it. */
  async function goOn(from: Resume): Promise<Resume> {
    const now = await readPosition(parts.connection, parts.keys, stopped)
    if (now.clusterId === from.clusterId && now.revision >= from.revision) return from
    onEvent('watch-history-lost', { prefix, reason: 'another cluster answers' })
    return await start()
  }

  /** One stream, from its opening to its end. */
  async function follow(from: Resume): Promise<Ending> {
    return await followStream(parts, prefix, from, stopped, {
      hear,
      silentMs: () => clock.monotonicMs() - heardMs,
      deliver(event) {
        resume = { clusterId: from.clusterId, revision: event.revision }
        deliver(event)
      },
    })
  }

  async function run(): Promise<void> {
    let failures = 0
    while (!stopped.aborted) {
      const before = resume
      try {
        const ending = await follow(await (resume ? goOn(resume) : start()))
        if (ending.kind === 'history-lost') resume = undefined
        if (!stopped.aborted) onEvent('watch-broken', { prefix, reason: ending.reason })
      } catch (error) {
        if (!stopped.aborted) onEvent('watch-broken', { prefix, reason: messageOf(error) })
      }
      failures = resume !== before ? 0 : failures + 1
      await clock.sleep(backoffMs(failures, 50, limits.watchRetryMsMax, parts.random), stopped)
    }
  }

  const done = run()
    // It ends only by being stopped.
    .catch(() => {})
    .then(onStopped)

  return {
    silentMs: () => clock.monotonicMs() - heardMs,
    async stop() {
      stopping.abort()
      await done
    },
  }
}

type Ending = { readonly kind: 'broken' | 'history-lost'; readonly reason: string }

type Sink = {
  hear(): void
  silentMs(): number
  deliver(event: WatchEvent): void
}

async function followStream(
  parts: WatchParts,
  prefix: string,
  from: Resume,
  stopped: AbortSignal,
  sink: Sink,
): Promise<Ending> {
  const { connection, keys } = parts
  const { client, stream } = await openStream(connection, stopped)
  const ended = new AbortController()
  const { signal } = ended
  try {
    const ending = new Promise<Ending>((resolve) => {
      const broken = (reason: string) => resolve({ kind: 'broken', reason })
      const reader = createWatchReader(keys, from.clusterId, from.revision, sink.deliver)
      stream.on('error', (error) => broken(messageOf(error)))
      stream.on('end', () => broken('etcd ended the stream'))
      stream.on('data', (response) => {
        if (stopped.aborted || signal.aborted) return
        sink.hear()
        const verdict = reader.read(response)
        if (verdict) resolve(verdict)
      })
      stopped.addEventListener('abort', () => broken('it was stopped'), { once: true, signal })
      stream.write({
        create_request: {
          ...rangeOf(keys.toEtcd(prefix)),
          start_revision: String(from.revision + 1),
          progress_notify: true,
          fragment: true,
        },
      })
      superviseStream(stream, parts, sink, signal).then(broken, () => {})
    })
    const result = await ending
    if (result.reason === silence) connection.abandon(client, `a watch: ${silence}`)
    return result
  } finally {
    ended.abort()
    discard(stream)
  }
}

type Stream = IDuplexStream<IWatchRequest, IWatchResponse>

async function openStream(connection: Connection, stopped: AbortSignal) {
  let wanted = true
  const open = async (client: Etcd3) => {
    const stream = await client.watchClient.watch({ interceptors: [requireLeader] })
    stream.on('error', () => {})
    if (!wanted) discard(stream)
    return { client, stream }
  }
  try {
    return await connection.call('watch', open, stopped)
  } catch (error) {
    // It may still open, for nobody.
    wanted = false
    throw error
  }
}

/** Ended before it is cancelled: the library takes a cancelled stream for a broken host. */
function discard(stream: Stream): void {
  stream.end()
  stream.cancel()
}

const silence = 'etcd says nothing'

/**
 * Asks for progress now and then; resolves when nothing comes back: no confirmation of the watch
 * within the time of a call, or nothing at all for longer.
 */
async function superviseStream(
  stream: Stream,
  { clock, callTimeoutMs }: WatchParts,
  sink: Sink,
  signal: AbortSignal,
): Promise<string> {
  const openedMs = clock.monotonicMs()
  let waitMs = Math.min(callTimeoutMs, limits.watchProgressMs)
  for (;;) {
    await clock.sleep(waitMs, signal)
    const openMs = clock.monotonicMs() - openedMs
    if (openMs >= callTimeoutMs && sink.silentMs() >= openMs) return silence
    if (sink.silentMs() >= limits.watchSilenceMs) return silence
    stream.write({ progress_request: {} })
    waitMs = limits.watchProgressMs
  }
}

type WatchCallOptions = NonNullable<Parameters<Etcd3['watchClient']['watch']>[0]>
type Interceptor = NonNullable<WatchCallOptions['interceptors']>[number]

/**
 * Asks etcd to end the stream when its member has lost the leader: without it a member that is cut
 * off from the others goes on confirming a view that grows old.
 */
const requireLeader: Interceptor = (options, nextCall) => {
  const call = nextCall(options)
  const start = call.start.bind(call)
  call.start = (metadata, listener) => {
    const own = metadata.clone()
    own.set('hasleader', 'true')
    start(own, listener)
  }
  return call as ReturnType<Interceptor>
}
