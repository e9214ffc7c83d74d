import type { Files } from '@almanac/shared'

/**
 * 'A running cluster', as the suite sees it: addresses to call, and things that can be broken.
 * What a topology cannot break is absent, and the tests of it are not registered there.
 */
export type TestCluster = {
  /** Base URLs; every broker that is meant to be up. */
  readonly brokers: readonly string[]
  /** The place of its files, for one who comes there on another way than through a broker. */
  readonly files: Files
  /** Everything at once, as a power cut would, and then again on the same data. */
  restartAll(): Promise<void>
  close(): Promise<void>
  readonly nodes?: readonly Breakable[]
  readonly brokerProcesses?: readonly Breakable[]
  readonly etcd?: Breakable
  /** The way from the nodes, and from nobody else, to etcd. */
  readonly etcdOfNodes?: Breakable
  readonly cql?: Breakable
  readonly kafka?: Breakable
  /** The way from the nodes, and from nobody else, to the files. */
  readonly filesOfNodes?: Way
}

export type Breakable = {
  readonly name: string
  readonly url?: string
  readonly pid?: number | undefined
  readonly logFile?: string
  kill(): Promise<void>
  start(): Promise<void>
  /** SIGTERM, and the end of the process. */
  stop(): Promise<void>
  signal(signal: NodeJS.Signals): void
}

export type Way = Breakable & {
  /** Breaks all connections once so many more bytes of answers have come. */
  cutAfter(bytes: number): void
}
