/** A small seeded generator (mulberry32), for tests that want the same numbers every time. */
export function makeRandom(seed: number) {
  let state = seed >>> 0
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    uniform,
    between: (low: number, high: number) => low + (high - low) * uniform(),
    integer: (low: number, high: number) => low + Math.floor((high - low + 1) * uniform()),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  }
}

export type TestRandom = ReturnType<typeof makeRandom>
