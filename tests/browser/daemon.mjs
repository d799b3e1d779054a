// A real alertd with something to show: an incident that fires, one that was resolved and
// written up, a pending alert, a broken rule, agents fresh and silent.

import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The drills that come along. */
export const DRILLS_FLAG = `--drills.path=${fileURLToPath(new URL('../../drills', import.meta.url))}`
const ALERTD = resolve(process.env.ALERTD ?? 'build/alertd/alertd')

export async function until(what, condition, seconds = 20) {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const value = await condition()
    if (value) return value
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`)
    await new Promise((done) => setTimeout(done, 50))
  }
}

const listening = (port) => new Promise((done) => {
  const socket = createSocket().once('error', () => done(null)).listen(port, '127.0.0.1', () => done(socket))
})

/** Below the range of outgoing connections, and no other test's: the odd neighbour of each port given out is held for as
 * long as this process lives, also while nothing listens on the port itself. Beside those of tests/lib/daemon.py. */
async function freePort() {
  for (;;) {
    const port = 20000 + 2 * Math.floor(Math.random() * 5000)
    const neighbour = await listening(port + 1)
    const probe = neighbour && await listening(port)
    neighbour?.unref()
    if (!probe) { neighbour?.close(); continue }
    await new Promise((done) => probe.close(done))
    return port
  }
}

const config = (hookPort) => `
receivers:
  - name: team
    webhook_configs:
      - url: http://127.0.0.1:${hookPort}/
  - name: oncall
    oncall_configs:
      - policy: shop
route:
  receiver: team
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  routes:
    - matchers: [team="queue"]
      receiver: oncall
`

export class Alertd {
  constructor({ auth = 'required', receivers = true, flags = [] } = {}) {
    this.auth = auth
    this.flags = flags
    this.receivers = receivers
    this.folder = mkdtempSync(join(tmpdir(), 'watchbill-browser-'))
    this.pages = []
  }

  async start() {
    this.hook = createServer((from, to) => {
      let body = ''
      from.on('data', (piece) => { body += piece })
      from.on('end', () => { this.pages.push(JSON.parse(body || '{}')); to.end('ok') })
    })
    await new Promise((done) => this.hook.listen(0, '127.0.0.1', done))
    const port = await freePort()
    this.url = `http://127.0.0.1:${port}`
    this.words = [`--storage.path=${this.folder}/data`, `--web.listen-address=127.0.0.1:${port}`, `--auth.mode=${this.auth}`, ...this.flags]
    if (this.receivers) {
      writeFileSync(join(this.folder, 'alertd.yml'), config(this.hook.address().port))
      this.words.push(`--config.file=${this.folder}/alertd.yml`)
    }
    return this.run()
  }

  async run() {
    const log = openSync(join(this.folder, 'log'), 'a')
    this.process = spawn(ALERTD, this.words, { stdio: ['ignore', log, log] })
    closeSync(log)
    await until('alertd is ready', async () => {
      if (this.process.exitCode !== null) throw new Error(`alertd ended with ${this.process.exitCode}:\n${this.log()}`)
      return fetch(`${this.url}/-/ready`).then((answer) => answer.ok, () => false)
    })
    return this
  }

  log() { return readFileSync(join(this.folder, 'log'), 'utf8').slice(-4000) }
  get token() { return readFileSync(join(this.folder, 'data/admin.token'), 'utf8').trim() }

  async call(method, path, body, { token, type = 'application/json', agent } = {}) {
    const headers = this.auth === 'off' ? {} : { Authorization: `Bearer ${token ?? this.token}` }
    if (agent) headers['X-Watchbill-Agent'] = agent
    if (body !== undefined) headers['Content-Type'] = type
    const answer = await fetch(this.url + path, { method, headers, body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body) })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return text ? JSON.parse(text) : null
  }

  get(path) { return this.call('GET', path) }
  post(path, body = {}) { return this.call('POST', path, body) }
  push(text, token, agent) { return this.call('POST', '/api/v1/import/prometheus', `${text}\n`, { type: 'text/plain', token, agent }) }
  importRules(yaml, source = 'rules/shop/alerts.yml') { return this.call('POST', `/api/alertd/v1/rules/import?source=${encodeURIComponent(source)}`, yaml, { type: 'application/yaml' }) }
  async agentToken(agent) { return (await this.post('/api/alertd/v1/tokens', { name: `agent ${agent}`, scopes: ['push'], agent })).token }

  pause() { this.process.kill('SIGSTOP') }
  go() { this.process.kill('SIGCONT') }

  async stop() {
    this.go()
    this.process.kill('SIGTERM')
    await until('alertd ends', () => this.process.exitCode !== null || this.process.signalCode !== null).catch(() => this.process.kill('SIGKILL'))
  }

  /** Ended and started, with what it kept. */
  async again() {
    await this.stop()
    return this.run()
  }

  async close() {
    await this.stop()
    this.hook.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const RULES = (slow) => `
groups:
  - name: shop
    interval: 1s
    rules:
      - alert: ShopDown
        expr: probe_success{job="blackbox"} < 1
        labels: {severity: critical}
        annotations:
          summary: '{{ $labels.instance }} does not answer'
          runbook_url: https://runbooks.example/shop#shopdown
      - alert: ShopSlow
        expr: probe_duration_seconds{job="blackbox"} > ${slow}
        for: 1h
        labels: {severity: warning}
        annotations:
          summary: '{{ $labels.instance }} takes {{ $value }} seconds'
      - alert: DiskFills
        expr: disk_free_ratio < 0.1
        labels: {severity: warning}
        annotations:
          summary: '{{ $labels.mountpoint }} on {{ $labels.instance }} is nearly full'
  - name: derived
    interval: 5s
    rules:
      - record: instance:probe_success:min
        expr: min by (instance) (probe_success)
`

/** Half an hour of samples, one every 15 s: the shop answered until three minutes ago. */
function history(nowMs) {
  const lines = []
  for (let ms = nowMs - 30 * 60_000; ms <= nowMs; ms += 15_000) {
    const down = ms > nowMs - 180_000
    lines.push(`probe_success{job="blackbox",instance="https://shop.example/checkout"} ${down ? 0 : 1} ${ms}`)
    lines.push(`probe_success{job="blackbox",instance="https://shop.example/"} 1 ${ms}`)
    lines.push(`probe_duration_seconds{job="blackbox",instance="https://shop.example/checkout"} ${(0.3 + 0.2 * Math.sin(ms / 90_000) + (down ? 4.5 : 0)).toFixed(4)} ${ms}`)
    lines.push(`probe_duration_seconds{job="blackbox",instance="https://shop.example/"} ${(0.2 + 0.05 * Math.cos(ms / 70_000)).toFixed(4)} ${ms}`)
    lines.push(`alert_agent_probe_info{agent="web-1",probe="checkout",kind="http",target="https://shop.example/checkout"} 1 ${ms}`)
    lines.push(`probe_success{agent="web-1",probe="checkout"} ${down ? 0 : 1} ${ms}`)
    lines.push(`probe_duration_seconds{agent="web-1",probe="checkout"} ${down ? 4.8 : 0.31} ${ms}`)
    lines.push(`disk_free_ratio{job="node",instance="db-2",mountpoint="/var/lib/postgresql",device="/dev/nvme0n1p3",fstype="ext4"} 0.04 ${ms}`)
  }
  return lines.join('\n')
}

/** Four people, one of whom nobody can reach; a schedule with a gap each weekend, one with an override,
 * a swap and a shadow; a policy. Times are around now. */
async function seedRoster(alertd) {
  const v1 = '/api/alertd/v1'
  const hour = Math.floor(Date.now() / 3_600_000)
  const at = (hours) => new Date((hour + hours) * 3_600_000).toISOString()
  const first = `${new Date(Date.now() - 40 * 86_400_000).toISOString().slice(0, 10)}T09:00`
  const contacts = { ana: [{ method: 'webhook', address: `http://127.0.0.1:${alertd.hook.address().port}/` }, { method: 'ntfy', address: 'https://ntfy.example/ana' }], bob: [{ method: 'email', address: 'bob@shop.example' }], chen: [{ method: 'webhook', address: 'https://hooks.example/T0/abc' }], eve: [] }
  for (const [name, full] of Object.entries({ ana: 'Ana Ferreira', bob: 'Bob Okafor', chen: 'Chen Wei', eve: 'Eve Larsson' })) {
    await alertd.post(`${v1}/people`, { name, full_name: full, zone: 'Europe/Lisbon', contacts: contacts[name] })
  }
  const rotation = (unit, ...people) => ({ unit, every: 1, first_turn: first, people })
  await alertd.post(`${v1}/schedules`, { name: 'web', title: 'Web shop', zone: 'Europe/Berlin', layers: [{ name: 'week', rotation: rotation('weeks', 'ana', 'bob', 'chen') }] })
  await alertd.post(`${v1}/schedules`, { name: 'db', title: 'Databases', zone: 'America/New_York', layers: [
    { name: 'days', rotation: rotation('days', 'bob', 'chen'), windows: [{ weekdays: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'], from: '08:00', to: '20:00' }] },
    { name: 'nights', rotation: rotation('weeks', 'ana', 'eve'), windows: [{ from: '20:00', to: '08:00' }] }] })
  await alertd.post(`${v1}/schedules/web/overrides`, { person: 'eve', from: at(30), to: at(54), note: 'covers the release' })
  await alertd.post(`${v1}/schedules/web/swaps`, { person: 'bob', of: 'chen', from: at(150), to: at(170), other_from: at(200), other_to: at(220) })
  await alertd.post(`${v1}/shadows`, { person: 'eve', target_kind: 'schedule', target: 'web', mode: 'own copy', from: at(-24), to: at(140) })
  await alertd.post(`${v1}/policies`, { name: 'shop', title: 'Shop is down', repeat: 2, ack_expires_ms: 1_800_000, steps: [{ delay_ms: 300_000, targets: [{ schedule: 'web' }] }, { delay_ms: 600_000, targets: [{ schedule: 'db' }, { person: 'ana' }] }], fallback: [{ person: 'bob' }] })
}

/** An incident that people are paged about, snoozed; silences of every kind. After seed(). */
export async function seedPaging(alertd) {
  const v1 = '/api/alertd/v1'
  const labels = { alertname: 'QueueGrows', severity: 'critical', team: 'queue', instance: 'queue-1', queue: 'orders' }
  await alertd.post('/api/v2/alerts', [{ labels, annotations: { summary: 'Orders wait for 12 minutes' } }])
  const find = async () => (await alertd.get(`${v1}/incidents?status=all`)).incidents.find((one) => one.labels.alertname === 'QueueGrows')
  const { key } = await until('an incident for the queue', find)
  await until('somebody is paged', async () => (await alertd.get(`${v1}/incidents/${key}/deliveries`)).deliveries.length > 0)
  await alertd.post(`${v1}/incidents/${key}/escalate`)
  await alertd.post(`${v1}/incidents/${key}/snooze`, { duration_ms: 3_600_000 })
  const silence = (matchers, comment, more) => alertd.post(`${v1}/silences`, { matchers, comment, ...more })
  await silence(['alertname=ShopDown', 'instance=~"https://shop.example/.*"'], 'The payment provider works on it, back at about five', { duration_ms: 4 * 3_600_000 })
  const weekly = await silence(['device="/dev/nvme0n1p3"'], 'Backup of every weekend', { window: 'sat,sun 02:00-04:00 Europe/Berlin' })
  await silence(['team=queue', 'alertname=QueueGrows'], 'Known, the fix is on its way', { until_resolved: true })
  await silence(['job=batch'], 'The night of the move', { starts_at: new Date(Date.now() + 86_400_000).toISOString(), duration_ms: 7_200_000 })
  const over = await silence(['instance="db-9"'], 'Disk swap', { duration_ms: 60_000 })
  await alertd.call('DELETE', `${v1}/silences/${over.id}`)
  return { queue: key, weekly: weekly.id }
}

/** Two cards, one of which names something that has none. */
export async function seedServices(alertd) {
  const path = '/api/alertd/v1/services'
  await alertd.call('PUT', `${path}/checkout`, {
    owner: 'team payments', tier: 1, description: 'Takes orders and payments of the shop.', match: { job: 'blackbox' }, depends_on: ['database', 'payment-gateway'],
    when_down: 'Nobody can buy. Orders that were begun are kept for 30 minutes; the call centre takes orders by phone.',
    runbooks: [{ title: 'Checkout is down', url: 'https://runbooks.example/shop' }], dashboards: [{ title: 'Shop', url: 'https://grafana.example/d/shop' }], rules: ['ShopDown', 'ShopSlow'],
    slos: [{ name: 'availability', objective: 0.999, window: '30d', good: 'sum(rate(shop_requests_total{code!~"5.."}[$window]))', total: 'sum(rate(shop_requests_total[$window]))' }] })
  await alertd.call('PUT', `${path}/database`, { owner: 'team data', tier: 1, when_down: 'Everything can be read and nothing written.', match: { job: 'node' } })
}

/** Everything the views show; answers with the keys of what was made. */
export async function seed(alertd) {
  const token = await alertd.agentToken('web-1')
  await alertd.push(history(Date.now()), token, 'web-1')
  await alertd.importRules(RULES(2))
  await alertd.importRules(RULES(1))
  const incidents = () => alertd.get('/api/alertd/v1/incidents?status=all').then((answer) => answer.incidents)
  const find = (name) => async () => (await incidents()).find((one) => one.labels.alertname === name)
  const disk = await until('an incident for the disk', find('DiskFills'))
  const shop = await until('an incident for the shop', find('ShopDown'))
  await until('a page', () => alertd.pages.length > 0)
  await alertd.post(`/api/alertd/v1/incidents/${disk.key}/ack`)
  await alertd.post(`/api/alertd/v1/incidents/${disk.key}/notes`, { text: 'Old WAL segments; archiving was stopped since Tuesday. Cleaning up.' })
  await alertd.push('disk_free_ratio{job="node",instance="db-2",mountpoint="/var/lib/postgresql",device="/dev/nvme0n1p3",fstype="ext4"} 0.64', token, 'web-1')
  await until('the disk incident resolves', async () => (await find('DiskFills')()).status === 'resolved')
  const { templates } = await alertd.get('/api/alertd/v1/postmortems/templates')
  const postmortem = await alertd.post('/api/alertd/v1/postmortems', { incident: disk.key, template: (templates.find((one) => one.id === 'standard') ?? templates[0]).id })
  await seedRoster(alertd)
  const { groups } = await alertd.get('/api/alertd/v1/rules')
  const rule = groups.flatMap((group) => group.rules).find((one) => one.name === 'ShopSlow')
  return { token, shop: shop.key, disk: disk.key, postmortem: postmortem.id, rule: rule.id }
}
