/** Some bytes each in a heap of V8, and a reference more in their array. */
const bytesEach = 40
const churnEveryMs = 20
/** Of the ballast that is thrown away and made anew each time. */
const churnShare = 0.02

/**
 * Holds objects that the garbage collector must look at again and again, and makes new ones for old
 * all the time, as a process does that has nearly run out of memory.
 */
export function createBallast(): { readonly setMegabytes: (megabytes: number) => void } {
  let pieces: { readonly n: number }[][] = []
  let timer: NodeJS.Timeout | undefined
  let turn = 0
  const pieceOf = (n: number) => Array.from({ length: n }, (_, i) => ({ n: i }))
  return {
    setMegabytes: (megabytes) => {
      clearInterval(timer)
      const count = megabytes > 0 ? Math.round(1 / churnShare) : 0
      const each = Math.round((megabytes * 1_048_576) / bytesEach / Math.max(1, count))
      pieces = Array.from({ length: count }, () => pieceOf(each))
      if (count === 0) return
      const churn = () => {
        pieces[turn % count] = pieceOf(each)
        turn += 1
      }
      timer = setInterval(churn, churnEveryMs).unref()
    },
  }
}
