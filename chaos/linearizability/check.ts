import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { assert } from '../../shared/src/index.ts'
import { Operation } from './history.ts'
import { installChecker } from './install.ts'
import { KeySpaceOperation } from './key-space-history.ts'

const Fault = Type.Object({
  model: Type.String(),
  /** The shortest beginning of the model's history that no order explains. */
  history: Type.Array(Type.Unknown()),
  /** The operation whose answer cannot be. */
  last: Type.Unknown(),
})

/** Unknown: time was up before some models were decided; those that were are right. */
const Verdict = Type.Object({
  verdict: Type.Union([Type.Literal('ok'), Type.Literal('illegal'), Type.Literal('unknown')]),
  operations: Type.Integer(),
  models: Type.Integer(),
  undecided: Type.Array(Type.String()),
  illegal: Type.Array(Fault),
})
export type Verdict = Static<typeof Verdict>

export type CheckOptions = {
  readonly timeoutMs?: number
  /** A file to write a page to that shows the first illegal history. */
  readonly picture?: string
}

/** Whether there is an order in which each model's operations make sense one after the other. */
export async function checkHistory(
  history: readonly Operation[],
  options: CheckOptions = {},
): Promise<Verdict> {
  for (const operation of history) assertFits(Value.Check(Operation, operation), operation)
  return await runChecker('record', history, options)
}

/** The same for the whole key space of a coordinator. */
export async function checkKeySpaceHistory(
  history: readonly KeySpaceOperation[],
  options: CheckOptions = {},
): Promise<Verdict> {
  for (const operation of history) assertFits(Value.Check(KeySpaceOperation, operation), operation)
  return await runChecker('key-space', history, options)
}

/** As sentences; empty when the history is linearizable. */
export function faultsOf({ verdict, illegal, undecided }: Verdict): string[] {
  if (verdict === 'unknown') return [`not decided in time: ${undecided.join(', ')}`]
  return illegal.map(
    ({ model, history, last }) =>
      `${model}: no order of these explains ${JSON.stringify(last)}\n` +
      history.map((each) => `  ${JSON.stringify(each)}`).join('\n'),
  )
}

function assertFits(fits: boolean, operation: unknown): void {
  assert(fits, `not an operation of a history: ${JSON.stringify(operation)}`)
}

/** Beyond the checker's own bound: for reading, drawing and ending. */
const graceMs = 30_000

async function runChecker(
  of: 'record' | 'key-space',
  history: readonly unknown[],
  { timeoutMs = 60_000, picture = '' }: CheckOptions,
): Promise<Verdict> {
  const binary = await installChecker()
  const args = [`-of=${of}`, `-timeout=${timeoutMs}ms`, `-picture=${picture}`]
  const child = spawn(binary, args, { timeout: timeoutMs + graceMs, killSignal: 'SIGKILL' })
  // A checker that ends early says why on stderr; that its pipe broke is no news.
  child.stdin.on('error', () => {})
  child.stdin.end(history.map((operation) => `${JSON.stringify(operation)}\n`).join(''))
  const said = Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await once(child, 'close')
  const [output, complaint] = await said
  assert(code === 0, `the checker ended with ${code}: ${complaint.slice(0, 1_000)}`)
  const verdict: unknown = JSON.parse(output)
  assert(Value.Check(Verdict, verdict), `not a verdict: ${output.slice(0, 1_000)}`)
  return verdict
}
