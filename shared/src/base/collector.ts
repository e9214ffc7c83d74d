import { setFlagsFromString } from 'node:v8'

/**
 * Lets V8 count memory outside of its heap, which is where answers are, with the rest of it. By
 * itself it starts a full collection whenever 64 MB of that have come, whatever the heap: a broker
 * that passes on large answers did so several times a second, and everybody waited some 50 ms.
 * For all isolates of the process; a V8 that does not know the flag says so and goes on.
 */
export function countExternalMemory(): void {
  setFlagsFromString('--external-memory-accounted-in-global-limit')
}
