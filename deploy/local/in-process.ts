import type { Upstream } from '@almanac/broker'
import type { RunningNode } from '@almanac/model-api'

type Reply = Awaited<ReturnType<Upstream['call']>['reply']>
type Request = Parameters<Upstream['call']>[1]
type Node = Pick<RunningNode, 'direct'>

/** Forecasts are computed for so long before connections are looked at again. */
const turnMs = 2

/**
 * From a broker to nodes of the same process without a connection between them. What is asked waits
 * in one line and is answered between two looks at the network: so the broker sees how long the
 * line is, refuses what is too much, and sends answers that it has kept past it.
 */
export function createInProcessUpstream(nodes: ReadonlyMap<string, Node>): Upstream {
  const line: Work[] = []
  let isDue = false
  const run = () => {
    const untilMs = performance.now() + turnMs
    do {
      const next = line.shift()
      if (next === undefined) {
        isDue = false
        return
      }
      next.begin()
    } while (performance.now() < untilMs)
    setImmediate(run)
  }
  return {
    call: ({ instance }, request) => {
      const work = new Work(nodes.get(instance), request)
      line.push(work)
      if (!isDue) setImmediate(run)
      isDue = true
      return { reply: work.reply, cancel: () => work.settle({ kind: 'cancelled' }) }
    },
    keepOnly: () => {},
    close: async () => {
      for (const work of line.splice(0)) work.settle({ kind: 'cancelled' })
    },
  }
}

/** One request: settled once, by its answer, its caller, or its time. */
class Work {
  readonly reply: Promise<Reply>
  readonly #node: Node | undefined
  readonly #request: Request
  readonly #late: NodeJS.Timeout
  #resolve: (reply: Reply) => void = () => {}
  #isSettled = false

  constructor(node: Node | undefined, request: Request) {
    this.#node = node
    this.#request = request
    this.reply = new Promise((resolve) => {
      this.#resolve = resolve
    })
    this.#late = setTimeout(() => this.settle({ kind: 'late' }), request.timeoutMs)
  }

  /** Does nothing for a caller who has left. */
  begin(): void {
    if (this.#isSettled) return
    const said = this.#node?.direct(this.#request)
    if (said === undefined) this.settle({ kind: 'unreached', why: 'no such node in this process' })
    else if (said instanceof Promise)
      said.then(
        (reply) => this.settle({ kind: 'reply', ...reply }),
        (error: Error) => this.settle({ kind: 'lost', why: error.message }),
      )
    else this.settle({ kind: 'reply', ...said })
  }

  settle(reply: Reply): void {
    if (this.#isSettled) return
    this.#isSettled = true
    clearTimeout(this.#late)
    this.#resolve(reply)
  }
}
