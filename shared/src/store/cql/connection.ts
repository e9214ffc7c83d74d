import type { Client, types } from 'cassandra-driver'
import { systemClock } from '../../base/clock.ts'
import { Unavailable } from '../../base/errors.ts'
import { limits } from '../../base/limits.ts'
import { backoffMs, systemRandom } from '../../base/random.ts'
import { beforeDeadline } from '../deadline.ts'
import { NewerSchema } from '../schema.ts'
import { Slots } from '../slots.ts'
import { connectClient, endClient, errorOf } from './driver.ts'
import { migrate } from './migrate.ts'
import type { CqlStoreOptions } from './options.ts'

export type Statement = {
  readonly query: string
  readonly parameters: readonly unknown[]
  /** `chunk` for what carries chunks: few at once, because each is large. */
  readonly size: 'row' | 'chunk'
  readonly rowsMax: number
  /** Microseconds; fixes the order among writes of one cell, also when it is sent twice. */
  readonly timestampUs?: number
}

/** Reconnecting is quick after a restart, and gentle with a database that is away for long. */
const reconnectBaseMs = 250
const reconnectCapMs = 5_000
/**
 * Without one success for this long a failing call has a second client made next to the first: the
 * driver's own schedule may have just begun a pause of 10 s, and nodes that moved to other
 * addresses it would never find.
 */
const rebuildAfterMs = 3_000
/** Calls for small rows that are under way at once in one process. */
const rowCallsMax = 64

/**
 * A connection that is made in the background, for as long as it takes, and made anew when the
 * driver's own reconnecting does not find the database again. Until it is there calls wait, each
 * up to its deadline.
 */
export class CqlConnection {
  readonly #options: CqlStoreOptions
  readonly #callTimeoutMs: number
  readonly #closed = new AbortController()
  readonly #slots: Record<Statement['size'], Slots>
  #client: Client | undefined
  #connecting: Promise<void> | undefined
  #lastSuccessMs = 0
  #lastFault = 'not tried yet'

  constructor(options: CqlStoreOptions) {
    this.#options = options
    this.#callTimeoutMs = options.callTimeoutMs ?? limits.storeCallMs
    this.#slots = {
      row: new Slots(rowCallsMax, limits.storeCallsWaitingMax),
      chunk: new Slots(limits.storeChunksInFlight, limits.storeCallsWaitingMax),
    }
    this.#connect()
  }

  get keyspace(): string {
    return this.#options.keyspace
  }

  /** The rows of one statement. Every statement here may be sent twice without harm. */
  async execute(statement: Statement, signal: AbortSignal): Promise<readonly types.Row[]> {
    signal.throwIfAborted()
    const ticket = this.#slots[statement.size].enter()
    const work = ticket.entered
      .then(() => this.#send(statement))
      // The slot is held until the driver lets go of the request, not until we stop waiting.
      .finally(() => ticket.leave())
    const late = () => (this.#client ? 'the call' : `not connected (${this.#lastFault}); waiting`)
    try {
      const rows = await beforeDeadline(work, late, this.#callTimeoutMs, signal)
      this.#lastSuccessMs = performance.now()
      return rows
    } catch (error) {
      if (error instanceof Unavailable) this.#noteFailure()
      throw error
    } finally {
      ticket.giveUp()
    }
  }

  async close(): Promise<void> {
    this.#closed.abort(closed())
    for (const slots of Object.values(this.#slots)) slots.refuse(closed())
    await this.#connecting
    if (this.#client) await endClient(this.#client)
    this.#client = undefined
  }

  async #send(statement: Statement): Promise<readonly types.Row[]> {
    const { query, parameters, rowsMax, timestampUs } = statement
    try {
      const result = await this.#client!.execute(query, [...parameters], {
        prepare: true,
        isIdempotent: true,
        fetchSize: rowsMax,
        ...(timestampUs === undefined ? {} : { timestamp: timestampUs }),
      })
      return result.rows ?? []
    } catch (error) {
      throw errorOf(error)
    }
  }

  #noteFailure(): void {
    if (performance.now() - this.#lastSuccessMs < rebuildAfterMs) return
    if (this.#client !== undefined) this.#connect()
  }

  #connect(): void {
    if (this.#connecting !== undefined || this.#closed.signal.aborted) return
    this.#connecting = this.#connectUntilDone().finally(() => {
      this.#connecting = undefined
    })
  }

  async #connectUntilDone(): Promise<void> {
    const { signal } = this.#closed
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await this.#connectOnce()
        return
      } catch (error) {
        this.#noteConnectFailure(error, attempt)
      }
      const pauseMs = backoffMs(attempt, reconnectBaseMs, reconnectCapMs, systemRandom)
      await systemClock.sleep(pauseMs, signal).catch(() => {})
    }
  }

  async #connectOnce(): Promise<void> {
    const { signal } = this.#closed
    const begunMs = performance.now()
    const client = await connectClient(this.#options)
    try {
      await migrate(client, this.#options, signal)
      signal.throwIfAborted()
    } catch (error) {
      await endClient(client)
      throw error
    }
    const former = this.#client
    if (former !== undefined && this.#lastSuccessMs > begunMs) {
      // The first client has recovered meanwhile: its connections are warm, and may be in use.
      await endClient(client)
      return
    }
    this.#client = client
    this.#lastSuccessMs = performance.now()
    for (const slots of Object.values(this.#slots)) slots.open()
    this.#options.onEvent?.('store.connected', { again: former !== undefined })
    if (former) await endClient(former)
  }

  #noteConnectFailure(error: unknown, attempt: number): void {
    if (this.#closed.signal.aborted) return
    this.#lastFault = errorOf(error).message
    this.#options.onEvent?.('store.connect-failed', { attempt, fault: this.#lastFault })
    if (!(error instanceof NewerSchema)) return
    // Waiting does not help against a newer schema: whoever calls is told at once.
    for (const slots of Object.values(this.#slots)) slots.refuse(error)
  }
}

function closed(): Unavailable {
  return new Unavailable('store', 'the store is closed')
}
