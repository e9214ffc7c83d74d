import type { FastifyInstance } from 'fastify'

/**
 * Remembers the routes that are added from now on. Returns which methods a path has; none: there is
 * no such path. For refusals only: it looks at every route.
 */
export function rememberMethods(server: FastifyInstance): (path: string) => readonly string[] {
  const methodsOf = new Map<string, { readonly shape: RegExp; readonly methods: Set<string> }>()
  server.addHook('onRoute', ({ url, method }) => {
    const known = methodsOf.get(url) ?? { shape: shapeOf(url), methods: new Set() }
    for (const one of [method].flat()) known.methods.add(one)
    methodsOf.set(url, known)
  })
  return (path) => {
    const found = [...methodsOf.values()].filter(({ shape }) => shape.test(path))
    return [...new Set(found.flatMap(({ methods }) => [...methods]))].sort()
  }
}

function shapeOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part === '*') return '.*'
    return part.startsWith(':') ? '[^/]*' : part.replace(/[^\w-]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('/')}$`)
}
