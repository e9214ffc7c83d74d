import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { ServiceError } from '@grpc/grpc-js'
import { limits } from '../limits.ts'
import { connectSpark, type SparkAt } from './connect.ts'
import { SparkFault, sparkFault } from './faults.ts'
import type { Plan, PlanResponse, Sender } from './protocol.ts'

/** A session of Spark Connect: views in it are nobody else's. */
export type SparkSession = {
  /** Runs a command to its end. */
  readonly run: (sql: string) => Promise<void>
  /** The rows of a query: each batch a stream of Arrow, the next one read when asked for. */
  readonly batches: (sql: string) => AsyncGenerator<Uint8Array, void>
  /** Ends what is under way, and the session with all of it. Doing it twice does no harm. */
  readonly close: () => Promise<void>
}

/**
 * A session at an address. Nothing is asked of Spark before the first query. All
 * methods but `close` reject with `SparkFault`, and with the signal's reason once it aborts.
 *
 * Queries can be attached to again. So a connection that breaks for a moment ends none of them, and
 * Spark itself ends those that nobody has come back to for some minutes, as after a crash here.
 */
export async function openSparkSession(at: SparkAt, signal: AbortSignal): Promise<SparkSession> {
  const { service, metadata } = await connectSpark(at)
  const sender: Sender = {
    sessionId: randomUUID(),
    userContext: { userId: 'almanac', userName: 'almanac' },
    clientType: 'almanac',
  }
  let known: { readonly clientObservedServerSideSessionId?: string } = {}
  let closing: Promise<void> | undefined

  /** What only tidies up is not waited for in vain, and its failure is nobody's concern. */
  const tidy = (call: (done: () => void) => void) => new Promise<void>((resolve) => call(resolve))
  const release = (operationId: string) =>
    tidy((done) => {
      const request = { ...sender, operationId, releaseAll: {} }
      service.releaseExecute(request, metadata, within(limits.sparkCallMs), done)
    })

  /** One stream of answers: the first of an operation, or a later one after the last answer. */
  async function* follow(operationId: string, plan: Plan, from: From) {
    const options = within(limits.sparkStreamMs)
    const request = { ...sender, ...known, operationId }
    const call =
      from === 'the beginning'
        ? service.executePlan({ ...request, plan, requestOptions: reattachable }, metadata, options)
        : service.reattachExecute({ ...request, ...from }, metadata, options)
    const cancel = () => call.cancel()
    signal.addEventListener('abort', cancel, { once: true })
    try {
      yield* call as AsyncIterable<PlanResponse>
    } catch (error) {
      signal.throwIfAborted()
      throw sparkFault(error as ServiceError)
    } finally {
      signal.removeEventListener('abort', cancel)
      call.cancel()
    }
  }

  const pause = (times: number) => delay(limits.sparkTryAgainMs * times, undefined, { signal })

  async function* ask(plan: Plan): AsyncGenerator<Uint8Array, void> {
    const operationId = randomUUID()
    const until = performance.now() + limits.sparkQueryMs
    let from: From = 'the beginning'
    let isComplete = false
    let vain = 0
    try {
      while (!isComplete) {
        signal.throwIfAborted()
        if (performance.now() > until) throw tooLong()
        try {
          let isEmpty = true
          for await (const response of follow(operationId, plan, from)) {
            isEmpty = false
            vain = 0
            from = { lastResponseId: response.responseId }
            known = { clientObservedServerSideSessionId: response.serverSideSessionId }
            isComplete = response.resultComplete != null
            if (response.arrowBatch) yield response.arrowBatch.data
          }
          if (isEmpty) await pause(1)
        } catch (error) {
          vain += 1
          const { kind } = error as SparkFault
          if (kind !== 'lost' || vain > limits.sparkVainTriesMax) throw error
          await pause(vain)
        }
        // Whether it was begun only Spark knows: to begin it twice is refused.
        if (from === 'the beginning') from = {}
      }
    } finally {
      // Else Spark goes on with a query whose answer nobody takes, and keeps the answer.
      await release(operationId)
    }
  }

  const end = async () => {
    await tidy((done) => {
      const request = { ...sender, interruptType: 'INTERRUPT_TYPE_ALL' } as const
      service.interrupt(request, metadata, within(limits.sparkCallMs), done)
    })
    await tidy((done) => service.releaseSession(sender, metadata, within(limits.sparkCallMs), done))
    service.close()
  }

  return {
    run: async (sql) => {
      for await (const _ of ask({ command: { sqlCommand: { input: { sql: { query: sql } } } } })) {
      }
    },
    batches: (sql) => ask({ root: { sql: { query: sql } } }),
    close: () => {
      closing ??= end()
      return closing
    },
  }
}

/** Where the answers to an operation are taken up. */
type From = 'the beginning' | { readonly lastResponseId?: string }

const within = (ms: number) => ({ deadline: Date.now() + ms })
const reattachable = [{ reattachOptions: { reattachable: true } }] as const

function tooLong(): SparkFault {
  const minutes = limits.sparkQueryMs / 60_000
  return new SparkFault('failed', `Spark has not answered a query within ${minutes} minutes.`)
}
