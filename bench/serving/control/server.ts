import { createServer } from 'node:http'

/** Writes as many numbers as a forecast has, other ones each time: server.ts PORT. */
const count = 500
createServer((request, response) => {
  const level = Number(new URL(request.url ?? '', 'http://control').searchParams.get('level'))
  const row = (of: (i: number) => number) => Array.from({ length: count }, (_, i) => of(i))
  const mean = row((i) => 10 + Math.sin(i / level))
  const lower = row((i) => mean[i]! - level / (i + 3))
  const upper = row((i) => mean[i]! + level / (i + 3))
  const body = Buffer.from(JSON.stringify({ mean, lower, upper }))
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': body.byteLength,
  })
  response.end(body)
}).listen(Number(process.argv[2]), '127.0.0.1')
process.on('SIGTERM', () => process.exit(0))
