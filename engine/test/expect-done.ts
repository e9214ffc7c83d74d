import type { Outcome, Refusal } from '../src/index.ts'

/** The value of an outcome that has to be done. */
export function doneValue<T>(outcome: Outcome<T>): T {
  if (outcome.kind === 'refused') throw new Error(`refused: ${outcome.reason.detail}`)
  return outcome.value
}

/** The reason of an outcome that has to be refused. */
export function refusalOf<T>(outcome: Outcome<T>): Refusal {
  if (outcome.kind !== 'refused') throw new Error(`expected a refusal, it is ${outcome.kind}`)
  return outcome.reason
}
