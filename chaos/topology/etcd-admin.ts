import { type Codec, codec } from '@almanac/shared'
import { Type } from 'typebox'
import type { EtcdAdmin, Part } from './topology.ts'

/** etcd's JSON gateway: integers are strings, bytes are base64. */
const Header = Type.Object({ revision: Type.String() })
const Range = codec(
  Type.Object({
    header: Header,
    kvs: Type.Optional(
      Type.Array(Type.Object({ key: Type.String(), value: Type.Optional(Type.String()) })),
    ),
  }),
)
const Status = codec(
  Type.Object({
    header: Type.Object({ member_id: Type.String() }),
    leader: Type.Optional(Type.String()),
  }),
)
const Compaction = codec(Type.Object({}))

const callTimeoutMs = 2_000

/** Calls straight to the members, past every proxy: the truth, for those who check. */
export function etcdAdmin(members: readonly Part[]): EtcdAdmin {
  async function ask<T>(schema: Codec<T>, path: string, body: unknown): Promise<T> {
    let last: unknown = new Error('no member of etcd runs')
    for (const member of members) {
      if (member.pid === undefined || member.isPaused) continue
      try {
        return await call(schema, member, path, body)
      } catch (error) {
        last = error
      }
    }
    throw last
  }
  return {
    async leader() {
      for (const member of members) {
        if (member.pid === undefined || member.isPaused) continue
        const status = await call(Status, member, '/v3/maintenance/status', {}).catch(() => null)
        if (status?.leader === status?.header.member_id && status) return member
      }
      return undefined
    },
    async compact() {
      const { header } = await ask(Range, '/v3/kv/range', { key: base64('/'), limit: 1 })
      await ask(Compaction, '/v3/kv/compaction', { revision: header.revision })
    },
    async read(prefix) {
      const body = { key: base64(prefix), range_end: base64(endOf(prefix)) }
      const { kvs = [] } = await ask(Range, '/v3/kv/range', body)
      return new Map(kvs.map(({ key, value = '' }) => [text(key), text(value)]))
    },
  }
}

async function call<T>(schema: Codec<T>, member: Part, path: string, body: unknown): Promise<T> {
  const response = await fetch(member.url + path, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(callTimeoutMs),
  })
  const answer = await response.text()
  const decoded = schema.decode(answer)
  if (response.ok && decoded.ok) return decoded.value
  throw new Error(`${member.name} ${path}: ${response.status} ${answer.slice(0, 300)}`)
}

const base64 = (plain: string) => Buffer.from(plain).toString('base64')
const text = (encoded: string) => Buffer.from(encoded, 'base64').toString()

/** The first key after all that begin with the prefix. */
function endOf(prefix: string): string {
  const last = prefix.charCodeAt(prefix.length - 1)
  return prefix.slice(0, -1) + String.fromCharCode(last + 1)
}
