import type { Dispatcher } from 'undici'

/** What became of the requests so far. */
export type Tally = {
  /** Times of what was answered; of that, what was due once the load had lasted; of refusals. */
  readonly answers: number[]
  readonly settled: number[]
  readonly refusals: number[]
  failed: number
  firstFailure: string | null
  open: number
}

/** Follows one request to its end. */
export class Watch implements Dispatcher.DispatchHandler {
  readonly tally: Tally
  readonly dueMs: number
  readonly isSettled: boolean
  readonly done: () => void
  status = 0
  mayRetry = false
  constructor(tally: Tally, due: { ms: number; isSettled: boolean }, done: () => void) {
    this.tally = tally
    this.dueMs = due.ms
    this.isSettled = due.isSettled
    this.done = done
    tally.open += 1
  }
  onRequestStart(): void {}
  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.status = status
    this.mayRetry = headers['retry-after'] !== undefined
  }
  onResponseData(): void {}
  onResponseEnd(): void {
    const tookMs = performance.now() - this.dueMs
    const { status, mayRetry, tally } = this
    if (status === 200) {
      tally.answers.push(tookMs)
      if (this.isSettled) tally.settled.push(tookMs)
    } else if ((status === 503 || status === 429) && mayRetry) tally.refusals.push(tookMs)
    else this.fail(`status ${status}, Retry-After: ${mayRetry}`)
    this.end()
  }
  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(error.message)
    this.end()
  }
  fail(why: string): void {
    this.tally.failed += 1
    this.tally.firstFailure ??= why
  }
  end(): void {
    this.tally.open -= 1
    this.done()
  }
}
