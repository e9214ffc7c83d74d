/** The buffers behind all arrays of numbers in a plain value, each once. */
export function buffersOf(value: unknown): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>()
  const seen = new Set<object>()
  const look = (part: unknown): void => {
    if (typeof part !== 'object' || part === null || seen.has(part)) return
    seen.add(part)
    if (ArrayBuffer.isView(part)) {
      if (part.buffer instanceof ArrayBuffer) buffers.add(part.buffer)
      return
    }
    const parts = part instanceof Map ? [...part.keys(), ...part.values()] : Object.values(part)
    for (const inner of parts) look(inner)
  }
  look(value)
  return [...buffers]
}
