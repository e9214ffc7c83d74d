import { chanceOf } from './chance.ts'
import { createHttpClient, type Exchange } from './http-client.ts'
import type { Judge } from './judge.ts'
import { bytesOf, type HostileRequest, isWellFramed } from './request.ts'
import { shellLine } from './show.ts'
import { shrink } from './shrink.ts'

/** Where requests go, what they are and how their answers are judged. */
export type Target = {
  readonly host: string
  readonly port: number
  readonly draw: (chance: ReturnType<typeof chanceOf>) => HostileRequest
  readonly judge: Judge
}

export type Tally = { requests: number; slowestMs: number; readonly statuses: Map<string, number> }

/** Waits for a node, of at most 10 s, are within this, and time for a busy machine. */
const answerTimeoutMs = 20_000

/** Violations that are shrunk; more of them would be the same again. */
const shownMax = 12

export type Bombardment = {
  /** Sends the requests of one seed, so many at a time; returns when all are answered. */
  readonly run: (seed: number, count: number, atOnce: number) => Promise<void>
  readonly tally: Tally
  readonly violations: readonly string[]
  readonly close: () => void
}

export function createBombardment(target: Target): Bombardment {
  const { host, port, draw, judge } = target
  const client = createHttpClient(host, port)
  const tally: Tally = { requests: 0, slowestMs: 0, statuses: new Map() }
  const violations: string[] = []
  const send = (request: HostileRequest): Promise<Exchange> =>
    client.send({
      bytes: bytesOf(request, `${host}:${port}`),
      isHead: request.method === 'HEAD',
      thenEnd: !isWellFramed(request),
      timeoutMs: answerTimeoutMs,
    })
  const one = async (seed: number, number: number) => {
    const request = draw(chanceOf(seed, number))
    const exchange = await send(request)
    count(tally, exchange)
    const fault = judge(request, exchange)
    if (fault === undefined) return
    const line = `seed ${seed}, request ${number}: ${fault}`
    if (violations.length >= shownMax) {
      violations.push(line)
      return
    }
    const place = violations.push(line) - 1
    const smallest = await shrink(request, async (smaller) => {
      return alike(judge(smaller, await send(smaller)), fault)
    })
    violations[place] = `${line}\n     ${shellLine(smallest, host, port)}`
  }
  return {
    tally,
    violations,
    close: client.close,
    run: async (seed, count, atOnce) => {
      let next = 0
      const lane = async () => {
        while (next < count) {
          const number = next
          next += 1
          await one(seed, number)
        }
      }
      await Promise.all(Array.from({ length: atOnce }, lane))
    },
  }
}

/** The same fault, whatever it says of this very request. */
function alike(fault: string | undefined, other: string): boolean {
  return fault?.slice(0, 24) === other.slice(0, 24)
}

function count(tally: Tally, exchange: Exchange): void {
  tally.requests += 1
  tally.slowestMs = Math.max(tally.slowestMs, exchange.ms)
  const status = exchange.kind === 'answer' ? String(exchange.answer.status) : exchange.kind
  tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1)
}
