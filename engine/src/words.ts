/** How many of something: 1 observation, 2 observations. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** Things in a sentence: 7; 7 and 12; 7, 12 and 365. */
export function joined(items: readonly (string | number)[]): string {
  const last = items.at(-1)
  if (items.length < 2) return last === undefined ? '' : String(last)
  return `${items.slice(0, -1).join(', ')} and ${last}`
}
