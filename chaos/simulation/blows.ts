import type { Fate } from './world/steps.ts'

/** One call of one process on the way from a fit to a rollback. */
export type Step = { readonly number: number; readonly who: string; readonly what: string }

/** One run: a life by its seed, and what happens at one of its calls. */
export type Strike = { readonly seed: number; readonly step: Step; readonly blow: Blow }

export type Blow = Exclude<Fate, 'goes on'>
export const blows: readonly Blow[] = ['dies before', 'dies after', 'hears nothing', 'stalls']
