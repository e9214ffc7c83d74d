import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { bypasses } from '../../topology/bypass.ts'

test('a connection that goes past its proxy is noticed, by whom and to what', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const watched = { name: 'node-1', pid: process.pid, ports: new Map([[port, 'cql']]) }
  expect(await bypasses([watched])).toEqual([])
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  expect(await bypasses([watched])).toEqual(['node-1 goes to cql past its proxy'])
  const others = { ...watched, ports: new Map([[port + 1, 'cql']]) }
  expect(await bypasses([others, { ...watched, pid: undefined }])).toEqual([])
  socket.destroy()
  server.close()
})
