import type { Dispatcher } from 'undici'

/** What became of the requests so far. */
export type Tally = {
  /** Times of what was answered and of what was refused. */
  readonly answers: number[]
  readonly refusals: number[]
  failed: number
  firstFailure: string | null
  open: number
}

/** Follows one request to its end. */
export class Watch implements Dispatcher.DispatchHandler {
  readonly tally: Tally
  readonly dueMs: number
  readonly done: () => void
  status = 0
  mayRetry = false
  constructor(tally: Tally, dueMs: number, done: () => void) {
    this.tally = tally
    this.dueMs = dueMs
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
    if (status === 200) tally.answers.push(tookMs)
    else if ((status === 503 || status === 429) && mayRetry) tally.refusals.push(tookMs)
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
