/** Why something is refused: where, what is wrong, and what to do. */
export type Fault = {
  /** A JSON pointer into the recipe; empty where it is not about the recipe. */
  readonly field: string
  readonly detail: string
  readonly remedy: string
}

/** What was asked for, or why there is none. */
export type Outcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'refused'; readonly faults: readonly Fault[] }

export function refused(...faults: readonly Fault[]): Outcome<never> {
  return { kind: 'refused', faults }
}

export const sentence = ({ field, detail, remedy }: Fault) =>
  `${field === '' ? '' : `${field}: `}${detail} ${remedy}`
