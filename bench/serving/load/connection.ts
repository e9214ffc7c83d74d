import { connect, type Socket } from 'node:net'

/** Longer heads are nobody's here. */
const headBytesMax = 16_384
const headEnd = Buffer.from('\r\n\r\n')
const lastChunk = Buffer.from('0\r\n\r\n')
const nothing = Buffer.alloc(0)
/** All connections read into it, one after the other. */
const incoming = Buffer.allocUnsafeSlow(65_536)

/**
 * One connection of HTTP/1.1, opened again when it was closed. It counts the bytes of answers and
 * keeps none: whoever keeps 50 kB for each of 2,000 answers a second is stopped by its own
 * collector now and then, and takes that for a slow answer.
 */
export class Connection {
  readonly #place: { readonly host: string; readonly port: number }
  #socket: Socket | undefined
  #done: ((status: number) => void) | undefined
  #answer = new Answer()

  constructor(place: { readonly host: string; readonly port: number }) {
    this.#place = place
  }

  /** One at a time. `done` hears the status of the answer, or 0 without one. */
  send(request: string, done: (status: number) => void): void {
    this.#done = done
    this.#answer = new Answer()
    this.#socket ??= this.#open()
    this.#socket.write(request, 'latin1')
  }

  #open(): Socket {
    const onread = {
      buffer: incoming,
      callback: (count: number) => {
        if (this.#socket === socket) this.#take(incoming.subarray(0, count))
        return true
      },
    }
    const socket = connect({ ...this.#place, noDelay: true, onread })
    const lost = () => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      this.#end(this.#answer.isWholeAtClose() ? this.#answer.status : 0)
    }
    socket.on('end', lost).on('error', lost).on('close', lost)
    return socket
  }

  #take(bytes: Buffer): void {
    const answer = this.#answer
    answer.take(bytes)
    if (!answer.isWhole && !answer.isWrong) return
    if (answer.isWrong || answer.closes) {
      this.#socket?.destroy()
      this.#socket = undefined
    }
    this.#end(answer.isWrong ? 0 : answer.status)
  }

  #end(status: number): void {
    const done = this.#done
    this.#done = undefined
    done?.(status)
  }
}

/** Reads HTTP only as far as it takes to see where an answer ends. */
class Answer {
  status = 0
  isWhole = false
  isWrong = false
  closes = false
  /** Of the head, or the end of a body in chunks: what may go on in the next bytes. */
  #begun: Buffer = nothing
  #body: 'unknown' | 'counted' | 'in chunks' | 'until the end' = 'unknown'
  #left = 0

  isWholeAtClose(): boolean {
    return this.#body === 'until the end'
  }

  take(bytes: Buffer): void {
    if (this.#body !== 'unknown') {
      this.#takeBody(bytes)
      return
    }
    const head = this.#joined(bytes)
    const end = head.indexOf(headEnd)
    if (end >= 0) {
      this.#begun = nothing
      this.#read(head.toString('latin1', 0, end))
      this.#takeBody(head.subarray(end + headEnd.length))
    } else if (head.length > headBytesMax) this.isWrong = true
    else this.#begun = Buffer.from(head)
  }

  #read(head: string): void {
    const of = (name: string) => new RegExp(`\r\n${name}: *([^\r]*)`, 'i').exec(head)?.[1]
    const [, minor, status] = /^HTTP\/1\.([01]) (\d{3})/.exec(head) ?? []
    const length = of('content-length')
    this.status = Number(status ?? 0)
    this.isWrong = status === undefined
    const connection = of('connection')?.toLowerCase()
    this.closes = connection === 'close' || (minor === '0' && connection !== 'keep-alive')
    this.#left = Number(length ?? 0)
    if (length !== undefined) this.#body = 'counted'
    else this.#body = of('transfer-encoding') === 'chunked' ? 'in chunks' : 'until the end'
  }

  #takeBody(bytes: Buffer): void {
    if (this.#body === 'counted') {
      this.#left -= bytes.length
      this.isWhole = this.#left === 0
      this.isWrong ||= this.#left < 0
    } else if (this.#body === 'in chunks') {
      const last = this.#joined(bytes.subarray(-lastChunk.length)).subarray(-lastChunk.length)
      this.isWhole = last.equals(lastChunk)
      this.#begun = Buffer.from(last)
    }
  }

  #joined(bytes: Buffer): Buffer {
    return this.#begun.length === 0 ? bytes : Buffer.concat([this.#begun, bytes])
  }
}
