// The dashboard while it is being written: rebuilt on every save, served with the real
// policy, in front of a real alertd or of made-up answers.
//
//   node web/dev/serve.mjs --packages build/web --port 9798 --alertd http://127.0.0.1:9797
//   node web/dev/serve.mjs --packages build/web --port 9798 --mock
//
// This is a tool for the author's desk: nothing of it is built into anything.

import { spawn } from 'node:child_process'
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { dirname, extname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const argument = (name, usual) => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? usual : process.argv[at + 1]
}
const packages = resolve(argument('packages', 'build/web'))
const port = Number(argument('port', '9798'))
const upstream = argument('alertd', 'http://127.0.0.1:9797')
const mock = process.argv.includes('--mock') ? (await import('./mock.mjs')).answer : null
const dist = join(packages, 'dev')
const csp = [...readFileSync(join(here, '../web_assets.h'), 'utf8').matchAll(/^ +"(.*)"/gm)].map((line) => line[1]).join('')
const TYPES = { '.js': 'text/javascript', '.css': 'text/css', '.html': 'text/html; charset=utf-8', '.svg': 'image/svg+xml' }

function proxy(from, to) {
  const url = new URL(from.url, upstream)
  const headers = { ...from.headers, host: url.host }
  if (headers.origin) headers.origin = url.origin
  const call = request(url, { method: from.method, headers }, (answer) => {
    to.writeHead(answer.statusCode, answer.headers)
    answer.pipe(to)
  })
  call.on('error', () => { to.writeHead(502).end() })
  to.on('close', () => call.destroy()) // a request is over when its body was read, its answer later
  from.pipe(call)
}

function file(path, to) {
  const name = existsSync(join(dist, path)) && extname(path) ? path : 'index.html'
  to.writeHead(200, { 'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream', 'Content-Security-Policy': csp, 'Cache-Control': 'no-store' })
  createReadStream(join(dist, name)).on('error', () => to.end()).pipe(to)
}

createServer((from, to) => {
  const path = new URL(from.url, 'http://x').pathname
  if (/^\/(api|a|-|metrics)(\/|$)/.test(path)) (mock ? mock(from, to) : proxy(from, to))
  else file(path, to)
}).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}`))

const build = spawn(process.execPath, [join(here, '../build.mjs'), '--packages', packages, '--out', dist, '--watch'], { stdio: 'inherit' })
process.on('exit', () => build.kill())
for (const end of ['SIGINT', 'SIGTERM']) process.on(end, () => process.exit(0))
