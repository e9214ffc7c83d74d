/** The other side could not be reached or did not answer in time. What it did is unknown. */
export class Unavailable extends Error {
  override name = 'Unavailable'
  readonly part: 'coordinator' | 'store' | 'node'
  constructor(part: Unavailable['part'], message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.part = part
  }
}

/** Content that does not match its checksum, or a record that cannot be what was written. */
export class Damaged extends Error {
  override name = 'Damaged'
}

/** What was asked for is not there: never written, not finished, or deleted. */
export class Missing extends Error {
  override name = 'Missing'
}
