/** Some bytes each in a heap of V8, and a reference more in their array. */
const bytesEach = 40
const pieces = 50
/** One piece is put in, or thrown away and made anew: some 10 MB a second at the most. */
const churnEveryMs = 500
const fillEveryMs = 50

/**
 * Holds objects that the garbage collector must look at again and again, and makes new ones for old
 * all the time, as a process does that has nearly run out of memory.
 */
export function createBallast(): { readonly setMegabytes: (megabytes: number) => void } {
  let held: { readonly n: number }[][] = []
  let timer: NodeJS.Timeout | undefined
  let turn = 0
  const pieceOf = (n: number) => Array.from({ length: n }, (_, i) => ({ n: i }))
  return {
    setMegabytes: (megabytes) => {
      clearTimeout(timer)
      held = []
      if (megabytes <= 0) return
      const each = Math.round((megabytes * 1_048_576) / bytesEach / pieces)
      const next = () => {
        held[turn % pieces] = pieceOf(each)
        turn += 1
        timer = setTimeout(next, held.length < pieces ? fillEveryMs : churnEveryMs).unref()
      }
      turn = 0
      next()
    },
  }
}
