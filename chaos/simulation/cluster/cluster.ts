import { Etcd, type Sabotage } from '../etcd/etcd.ts'
import { Blobs } from '../store/blobs.ts'
import { Network } from '../world/network.ts'
import type { Steps } from '../world/steps.ts'
import type { Process, World } from '../world/world.ts'
import { type BrokerProcess, startBrokerProcess } from './broker-process.ts'
import type { FitCourse } from './fitter.ts'
import { type NodeProcess, nodeOrigin, startNodeProcess } from './node-process.ts'
import type { Surroundings } from './parts.ts'

export type ClusterOptions = {
  readonly world: World
  readonly seed: number
  readonly brokers: number
  readonly nodes: number
  readonly courseOf: (value: number) => FitCourse
  readonly steps?: Steps | undefined
  readonly sabotage?: Sabotage | undefined
}

/** Brokers and nodes around one etcd and one store, and what can be done to them. */
export class Cluster {
  readonly around: Surroundings
  readonly brokers = new Map<string, BrokerProcess>()
  readonly nodes = new Map<string, NodeProcess>()
  readonly #courseOf: ClusterOptions['courseOf']
  readonly #placeOf = new Map<string, string>()

  constructor(options: ClusterOptions) {
    const { world, seed, steps } = options
    const network = new Network(world, seed)
    const etcd = new Etcd(world)
    etcd.sabotage = options.sabotage ?? {}
    this.around = {
      world,
      seed,
      network,
      etcd,
      blobs: new Blobs(),
      store: { isAway: false },
      steps,
    }
    this.#courseOf = options.courseOf
    for (let i = 0; i < options.nodes; i += 1) {
      this.#placeOf.set(nodeOrigin(`node-${i}`), `node-${i}`)
      this.startNode(`node-${i}`)
    }
    for (let i = 0; i < options.brokers; i += 1) this.startBroker(`broker-${i}`)
  }

  startNode(name: string): void {
    this.nodes.set(name, startNodeProcess(this.around, name, this.#courseOf))
  }

  startBroker(name: string): void {
    const at = (origin: string) => {
      const node = this.nodes.get(this.#placeOf.get(origin) ?? '')
      return node?.server ? { process: node.process, server: node.server } : undefined
    }
    const placeOf = (origin: string) => this.#placeOf.get(origin) ?? 'nowhere'
    this.brokers.set(name, startBrokerProcess(this.around, name, { at, placeOf }))
  }

  process(name: string): Process {
    const found = this.brokers.get(name) ?? this.nodes.get(name)
    if (!found) throw new Error(`there is no ${name}`)
    return found.process
  }

  /** The process is gone, at once; its connections close. */
  kill(name: string): void {
    this.end(this.process(name))
  }

  end(process: Process): void {
    const { world, etcd } = this.around
    world.kill(process)
    for (const stream of [...etcd.streams]) if (stream.process === process) stream.cancel()
  }

  /** Another process under the same name, when the former one is gone. */
  start(name: string): void {
    if (this.process(name).state !== 'dead') return
    if (this.nodes.has(name)) this.startNode(name)
    else this.startBroker(name)
  }

  /** Leaves in an orderly way; then the process ends. */
  drain(name: string): void {
    const { world } = this.around
    const process = this.process(name)
    if (process.state !== 'running') return
    world.trouble(process)
    const over = () => this.end(process)
    const node = this.nodes.get(name)
    const broker = this.brokers.get(name)
    if (node) node.isDraining = true
    if (broker) broker.isDraining = true
    world.within(process, () => {
      if (node?.node) node.node.drain().then(over)
      else if (broker?.assembly) this.#drainBroker(process, broker.assembly, over)
      else over()
    })
  }

  /** As `startBroker` does it around its HTTP server. */
  #drainBroker(
    process: Process,
    assembly: NonNullable<BrokerProcess['assembly']>,
    over: () => void,
  ) {
    assembly.startDraining()
    this.around.world.after(3_000, process, () => {
      assembly.stop()
      assembly.close().then(over)
    })
  }
}
