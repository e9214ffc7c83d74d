/** The other side could not be reached or did not answer in time. What it did is unknown. */
export class Unavailable extends Error {
  override name = 'Unavailable'
  readonly part: 'coordinator' | 'store' | 'node' | 'files' | 'messages' | 'spark'
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

/** Content that is longer than may be. */
export class TooLarge extends Error {
  override name = 'TooLarge'
  readonly bytesMax: number
  constructor(bytesMax: number) {
    super(`more than ${bytesMax} bytes`)
    this.bytesMax = bytesMax
  }
}

/** Content that does not come, or is not taken, for longer than anybody should wait. */
export class Stalled extends Error {
  override name = 'Stalled'
}

/** A file's name that is a folder's, or that would make a folder of a file. */
export class NameTaken extends Error {
  override name = 'NameTaken'
}
