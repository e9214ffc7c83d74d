/** How a column writes its numbers. */
export type NumberGuess = {
  readonly decimal: '.' | ','
  readonly thousands: '.' | ',' | ' ' | "'" | null
  /** Whether the mark may as well be the other one of the two: 1,250 is more, or a little more. */
  readonly isDoubtful: boolean
}

/** How all of some texts are numbers; undefined where they are none. */
export function numbersOf(given: readonly string[]): NumberGuess | undefined {
  const texts = given.map((text) => text.trim())
  const all = (pattern: RegExp) => texts.every((text) => pattern.test(text))
  // Marks with three digits after them and no more than three before, in each of them.
  const isDoubtful = texts.some((text) => /[.,]/.test(text)) && all(/^[+-]?\d{1,3}([.,]\d{3})?$/)
  if (all(/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/))
    return { decimal: '.', thousands: null, isDoubtful: false }
  if (all(/^[+-]?\d+(,\d*)?$/)) return { decimal: ',', thousands: null, isDoubtful }
  if (all(/^[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d*)?$/))
    return { decimal: '.', thousands: ',', isDoubtful: false }
  if (all(/^[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d*)?$/))
    return { decimal: ',', thousands: '.', isDoubtful: false }
  for (const thousands of [' ', "'"] as const)
    for (const decimal of ['.', ','] as const) {
      const whole = `(\\d+|\\d{1,3}(${thousands}\\d{3})+)`
      if (all(new RegExp(`^[+-]?${whole}([${decimal}]\\d*)?$`)))
        return { decimal, thousands, isDoubtful: false }
    }
  return undefined
}
