import { afterAll, beforeAll, describe } from 'vitest'
import { backtestSuite } from '../suite/backtests.ts'
import { coreSuite } from '../suite/core.ts'
import { messageRestartSuite, messagesSuite } from '../suite/messages.ts'
import type { TestCluster } from '../support/cluster.ts'
import { startOneMachineCluster } from '../support/one-machine.ts'

describe('one machine, nothing installed', () => {
  let cluster: TestCluster
  beforeAll(async () => {
    cluster = await startOneMachineCluster()
  })
  afterAll(() => cluster?.close())
  coreSuite(() => cluster)
  messagesSuite(() => cluster)
  messageRestartSuite(() => cluster)
  backtestSuite(() => cluster)
})
