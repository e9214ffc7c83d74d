import { crc32c } from '../../src/codec/checksum.ts'

/** A copy of some bytes with the length and the checksum that a container of them would have. */
export function sealed(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  const view = new DataView(copy.buffer)
  view.setUint32(12, copy.length, true)
  view.setUint32(copy.length - 4, crc32c(copy.subarray(0, copy.length - 4)), true)
  return copy
}
