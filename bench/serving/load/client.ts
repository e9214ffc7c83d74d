import { Connection } from './connection.ts'

/** Asks over so many connections, one request at a time on each; more wait in one line. */
export class Client {
  readonly #idle: Connection[]
  readonly #line: Waiting[] = []

  constructor(origin: string, connections: number) {
    const { hostname, port } = new URL(origin)
    const place = { host: hostname, port: Number(port) }
    this.#idle = Array.from({ length: connections }, () => new Connection(place))
  }

  /** `done` hears the status of the answer, or 0 without one. */
  ask(request: string, done: (status: number) => void): void {
    const connection = this.#idle.pop()
    if (connection === undefined) this.#line.push({ request, done })
    else this.#send(connection, { request, done })
  }

  #send(connection: Connection, { request, done }: Waiting): void {
    connection.send(request, (status) => {
      const next = this.#line.shift()
      if (next === undefined) this.#idle.push(connection)
      else this.#send(connection, next)
      done(status)
    })
  }
}

type Waiting = { readonly request: string; readonly done: (status: number) => void }
