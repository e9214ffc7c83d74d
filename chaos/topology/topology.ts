import type { Controls } from './hooks/controls.ts'

/**
 * The real thing on one machine: etcd of three members, a CQL database, brokers and nodes, each a
 * process, with toxiproxy on the way between every pair that talks. What is here can be broken in
 * every way in which machines and networks break; who breaks it, and why, is elsewhere.
 */
export type Topology = {
  /** Data and logs of this run; deleted by `close()` unless it is told to keep them. */
  readonly folder: string
  readonly brokers: readonly Part[]
  readonly nodes: readonly Part[]
  /** The members of etcd. */
  readonly etcd: readonly Part[]
  readonly cql: Part
  /** Every way from one part to another. */
  readonly links: readonly Link[]
  /** The ways from the parts whose names `from` names to those that `to` names, or all. */
  linksBetween(from: string | undefined, to: string | undefined): readonly Link[]
  /** Calls straight to etcd, past every proxy. */
  readonly admin: EtcdAdmin
  /** Waits until nothing is missing; what is missing still when the time is over, as sentences. */
  wellAgain(timeoutMs: number, signal?: AbortSignal): Promise<Wellness>
  /** Ends every process; the folder stays when `keep` is set, so that somebody can look at it. */
  close(options?: { readonly keep?: boolean }): Promise<void>
}

export type PartKind = 'broker' | 'node' | 'etcd' | 'cql'

/** One process. Its methods do no harm when it is in the wanted state already. */
export type Part = {
  /** `broker-1`, `node-3`, `etcd-2`, `cql`. */
  readonly name: string
  readonly kind: PartKind
  /** Its own address, past every proxy: `http://127.0.0.1:PORT` (of CQL `127.0.0.1:PORT`). */
  readonly url: string
  readonly logFile: string
  /** Undefined while it does not run. */
  readonly pid: number | undefined
  readonly isPaused: boolean
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM, and SIGKILL when that takes too long; resolves when the process is gone. */
  stop(): Promise<void>
  /** Starts it as it was; resolves when it is ready. */
  start(): Promise<void>
  /** Starts it without waiting; whether it becomes ready is for `wellAgain` to say. */
  spawn(): Promise<void>
  /** SIGSTOP: it holds its connections and says nothing. */
  pause(): void
  /** SIGCONT. */
  resume(): void
  /** What is done to it from inside, as `hooks/controls.ts` says; only of brokers and nodes. */
  control(controls: Partial<Controls>): Promise<void>
  /** Resident memory; undefined while it does not run. */
  rssBytes(): Promise<number | undefined>
}

/** Which bytes are hit: what `from` sends, what `to` answers, or both. */
export type Direction = 'requests' | 'answers' | 'both'

/** The way from one process to another; new connections and those of now are hit alike. */
export type Link = {
  /** Names of parts. */
  readonly from: string
  readonly to: string
  /** Each direction takes so much longer. */
  delay(latencyMs: number, jitterMs: number, direction?: Direction): Promise<void>
  /** Nothing passes and nobody is told: the connections stay open. What is held passes at heal. */
  hold(direction?: Direction): Promise<void>
  /** As `hold`, but what was held is lost and its connections are reset at heal. */
  swallow(direction?: Direction): Promise<void>
  /** New connections are closed at once, those of now too. */
  refuse(): Promise<void>
  /** Those of now are closed; new ones are served. */
  cut(): Promise<void>
  /** Of new connections, this share is reset after a while. */
  reset(share: number, afterMs: number): Promise<void>
  throttle(kilobytesPerSecond: number, direction?: Direction): Promise<void>
  /** Everything passes again. */
  heal(): Promise<void>
}

export type EtcdAdmin = {
  /** The member that leads, if one is known. */
  leader(): Promise<Part | undefined>
  /** Forgets history up to the revision of now. */
  compact(): Promise<void>
  /** Every key below the prefix and its value, linearizable. */
  read(prefix: string): Promise<ReadonlyMap<string, string>>
}

export type Wellness = { readonly tookMs: number; readonly missing: readonly string[] }

export type TopologyOptions = {
  /** Default 5. */
  readonly nodes?: number
  /** Default 2. */
  readonly brokers?: number
  /** Default 3. */
  readonly etcdMembers?: 1 | 3
  readonly log?: (line: string) => void
  /** Ends a start that is under way; a topology that has started is ended by `close()`. */
  readonly signal: AbortSignal
  readonly nodeEnv?: Readonly<Record<string, string>>
  readonly brokerEnv?: Readonly<Record<string, string>>
}
