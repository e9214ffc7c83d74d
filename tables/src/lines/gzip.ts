/** Whether bytes are the beginning of what gzip has compressed: the first two say so. */
export function startsAsGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}
