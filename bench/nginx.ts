import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../deploy/local/process.ts'

/** nginx as one process on one core: a static file, or a proxy that keeps its connections. */
export async function startNginx(options: {
  readonly folder: string
  readonly core: string
  readonly upstream?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly location?: string
}): Promise<{ readonly address: string; readonly pid: number; stop(): Promise<void> }> {
  const port = await freePort()
  const home = join(options.folder, `nginx-${port}`)
  await mkdir(home, { recursive: true })
  await writeFile(join(home, 'nginx.conf'), configuration(options, port, home))
  const child = spawn(
    'taskset',
    ['-c', options.core, 'nginx', '-p', home, '-c', join(home, 'nginx.conf')],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  if (child.pid === undefined) throw new Error('nginx or taskset is not installed')
  const address = `127.0.0.1:${port}`
  for (let tries = 0; !(await listens(port)); tries++) {
    if (tries > 100) throw new Error('nginx did not start')
    await delay(50)
  }
  return {
    address,
    pid: child.pid,
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

function configuration(
  { upstream, headers = {}, location }: Parameters<typeof startNginx>[0],
  port: number,
  home: string,
): string {
  const sent = Object.entries(headers).map(
    ([name, value]) => `proxy_set_header ${name} "${value}";`,
  )
  const proxy = `proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffer_size 16k;
    proxy_buffers 8 16k; ${sent.join(' ')} proxy_pass http://upstream_pool;`
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off; master_process off; pid ${home}/pid; error_log ${home}/error.log;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_timeout 75; keepalive_requests 1000000000;
  open_file_cache max=100; default_type application/json;
  ${temp.map((name) => `${name}_temp_path ${home}/${name};`).join(' ')}
  ${upstream ? `upstream upstream_pool { server ${upstream}; keepalive 64; keepalive_requests 1000000000; }` : ''}
  server { listen 127.0.0.1:${port}; location / { ${location ?? proxy} } }
}
`
}

function listens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      done(true)
    })
    socket.on('error', () => done(false))
  })
}
