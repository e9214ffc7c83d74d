/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), as in iSCSI, ext4 and etcd. It finds every
 * error of up to 32 adjacent bits and every single flipped bit. It is there against damage, not
 * against malice: a decoder checks the contents as well, and the store keeps a SHA-256 beside them.
 */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (let i = 0; i < bytes.length; i++) {
    crc = table[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8)
  }
  return (crc ^ 0xffffffff) >>> 0
}

const table = makeTable()

function makeTable(): Uint32Array {
  const entries = new Uint32Array(256)
  for (let i = 0; i < 256; i++) {
    let entry = i
    for (let bit = 0; bit < 8; bit++) entry = entry & 1 ? (entry >>> 1) ^ 0x82f63b78 : entry >>> 1
    entries[i] = entry >>> 0
  }
  return entries
}
