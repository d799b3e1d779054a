// Made-up answers in the shapes of docs/api.md, for looking at pages without an alertd.
// Tests never use them. WHO=dan in the environment makes dan the one who is logged in. `?empty` in the referring page's address answers as a new install does.

import { drillRoutes } from './mock_drill.mjs'
import { shadowRoutes } from './mock_shadow.mjs'

const at = (secondsAgo) => new Date(Date.now() - secondsAgo * 1000).toISOString()
const began = Date.now()
const state = { acked: null, resolved: null, notes: [], revision: 4, markdown: null }

const labels = { alertname: 'ProbeDown', job: 'blackbox', instance: 'https://shop.example/checkout' }

function incident12() {
  return {
    id: 12, key: 'INC-2026-0012', title: 'ProbeDown on https://shop.example/checkout', severity: 'critical',
    status: state.resolved ? 'resolved' : state.acked ? 'acknowledged' : 'triggered', opened_at: at(780),
    acknowledged_at: state.acked, acknowledged_by: state.acked && 'ana', resolved_at: state.resolved, resolved_by: state.resolved && 'ana',
    labels: { alertname: 'ProbeDown' }, n_alerts: 2, n_firing: 2, postmortem: null,
  }
}
const incident11 = () => ({
  id: 11, key: 'INC-2026-0011', title: 'HostDiskWillFillIn24Hours on db-2:/var/lib/postgresql', severity: 'warning', status: 'acknowledged',
  opened_at: at(5400), acknowledged_at: at(5200), acknowledged_by: 'bo', resolved_at: null, resolved_by: null,
  labels: { alertname: 'HostDiskWillFillIn24Hours', instance: 'db-2' }, n_alerts: 1, n_firing: 1, postmortem: null,
})
const resolvedOnes = () => [10, 9, 8].map((id) => ({
  id, key: `INC-2026-00${id < 10 ? '0' : ''}${id}`, title: ['HostHighLoad on web-1', 'AgentSilent: web-3 has not pushed for 5 minutes', 'ProbeSlow on https://shop.example/'][id - 8],
  severity: ['warning', 'critical', 'info'][id - 8], status: 'resolved', opened_at: at(90000 * (11 - id)), acknowledged_at: at(90000 * (11 - id) - 130),
  acknowledged_by: 'ana', resolved_at: at(90000 * (11 - id) - 1900), resolved_by: id === 9 ? 'ana' : null, labels: {}, n_alerts: 1, n_firing: 0, postmortem: id === 9 ? 3 : null,
}))
const open = () => [incident12(), incident11()].filter((one) => one.status !== 'resolved')

const alert = (instance, value) => ({
  name: 'ProbeDown', labels: { ...labels, instance, severity: 'critical' }, annotations: { summary: `${instance} does not answer`, description: 'The probe failed for a minute.' },
  state: state.resolved ? 'resolved' : 'firing', active_at: at(840), fired_at: at(780), resolved_at: state.resolved, value, rule_id: 7, expr: 'probe_success == 0',
  left: 'probe_success', threshold: 0, for_ms: 60000, runbook_url: '/runbooks/blackbox#probedown',
})
const timeline = () => [
  { id: 1, kind: 'alert.pending', class: 'machine', occurred_at: at(840), recorded_at: at(840), actor: null, source: 'rule 7', text: 'ProbeDown is pending for https://shop.example/checkout: probe_success is 0', data: {} },
  { id: 2, kind: 'incident.opened', class: 'machine', occurred_at: at(780), recorded_at: at(780), actor: null, source: 'router', text: 'Opened for alertname=ProbeDown', data: {} },
  { id: 3, kind: 'alert.firing', class: 'machine', occurred_at: at(780), recorded_at: at(780), actor: null, source: 'rule 7', text: 'ProbeDown fires for https://shop.example/checkout', data: {} },
  { id: 4, kind: 'notify.failed', class: 'machine', occurred_at: at(779), recorded_at: at(779), actor: null, source: 'outbox 4', text: 'ntfy: connection refused; tried again in 5 s', data: {} },
  { id: 5, kind: 'notify.sent', class: 'machine', occurred_at: at(776), recorded_at: at(776), actor: null, source: 'outbox 5', text: 'mail told oncall@example.org', data: {} },
  { id: 6, kind: 'alert.firing', class: 'machine', occurred_at: at(700), recorded_at: at(700), actor: null, source: 'rule 7', text: 'ProbeDown fires for https://shop.example/', data: {} },
  { id: 7, kind: 'human.note', class: 'human', occurred_at: at(600), recorded_at: at(420), actor: 'ana', source: 'dashboard', text: 'Load balancer shows 0 of 4 backends healthy since the 14:02 deploy.', data: {} },
  ...(state.acked ? [{ id: 8, kind: 'ack', class: 'human', occurred_at: state.acked, recorded_at: state.acked, actor: 'ana', source: 'dashboard', text: 'ana acknowledged', data: {} }] : []),
  ...state.notes,
  ...(state.resolved ? [{ id: 99, kind: 'incident.resolved', class: 'human', occurred_at: state.resolved, recorded_at: state.resolved, actor: 'ana', source: 'dashboard', text: 'ana resolved the incident', data: {} }] : []),
]
const notifications = () => [
  { id: 5, receiver: 'mail', kind: 'email', reason: 'first', state: 'sent', attempts: 1, due_at: at(780), sent_at: at(776), last_error: null, incident: 'INC-2026-0012' },
  { id: 4, receiver: 'phone', kind: 'ntfy', reason: 'first', state: 'waiting', attempts: 3, due_at: at(-20), sent_at: null, last_error: 'connect to 10.0.0.9 port 443: connection refused', incident: 'INC-2026-0012' },
]

const deliveries = () => notifications().map((one) => ({ ...one, title: 'ProbeDown on https://shop.example/checkout', person: null, lane: 'page', refused: false, owed_at: at(780), late_ms: one.sent_at ? 4000 : 780_000, superseded_by: null, acknowledged_at: state.acked && one.sent_at ? state.acked : null, acknowledged_by: state.acked ? 'ana' : null }))
const silence = (id, value, comment, more) => ({ id, state: 'active', matchers: [{ name: 'alertname', value, isRegex: false, isEqual: true }], starts_at: at(3600), ends_at: at(-7200), until_resolved: false, created_by: 'ana', comment, created_at: at(3600), updated_at: at(3600), revision: 1, last_matched_at: null, matches_now: 1, window: null, ...more })
const silences = () => [
  silence('s1', 'ProbeDown', 'The provider works on it'),
  silence('s2', 'Backup', 'Every weekend', { state: 'pending', ends_at: null, matches_now: 0, window: [{}], window_text: 'sat,sun 02:00-04:00 Europe/Berlin', muting_until: null, next: [{ from: at(-90_000), to: at(-97_200) }] }),
]

const rule = (id, name, expr, more = {}) => ({
  id, name, type: 'alerting', expr, for_ms: 60000, keep_firing_for_ms: 0, labels: { severity: 'warning' }, annotations: { summary: '{{ $labels.instance }} needs a look' },
  state: 'inactive', health: 'ok', last_error: null, last_evaluation: at(4), evaluation_ms: 0.42, version: 1, n_firing: 0, n_pending: 0, fired_30d: 0, ...more,
})
const groups = () => [
  { name: 'blackbox', source: 'rules/blackbox/alerts.yml', interval_ms: 15000, last_evaluation: at(4), evaluation_ms: 1.9, health: 'ok', rules: [
    rule(7, 'ProbeDown', 'probe_success == 0', { labels: { severity: 'critical' }, state: 'firing', n_firing: 2, fired_30d: 14, version: 3 }),
    rule(8, 'ProbeSlow', 'avg_over_time(probe_duration_seconds[5m]) > 1', { state: 'pending', n_pending: 1, fired_30d: 3, for_ms: 300000 }),
    rule(9, 'CertificateExpiresSoon', 'probe_ssl_earliest_cert_expiry - time() < 86400 * 14', { for_ms: 3600000 })] },
  { name: 'host', source: 'rules/host/alerts.yml', interval_ms: 30000, last_evaluation: at(11), evaluation_ms: 12.4, health: 'err', rules: [
    rule(1, 'HostHighLoad', 'node_load5 / count without (cpu, mode) (node_cpu_seconds_total{mode="idle"}) > 1.5', { fired_30d: 6, for_ms: 600000 }),
    rule(2, 'HostDiskWillFillIn24Hours', 'predict_linear(node_filesystem_avail_bytes{fstype!~"tmpfs|overlay"}[6h], 86400) < 0 and node_filesystem_readonly == 0', { state: 'firing', n_firing: 1, fired_30d: 1, for_ms: 3600000, evaluation_ms: 9.1 }),
    rule(3, 'HostClockSkew', 'abs(node_timex_offset_seconds) > 0.05 and group_left(x) foo', { health: 'err', last_error: '1:43: parse error: unexpected group_left', for_ms: 0 }),
    rule(4, 'instance:node_cpu:ratio', '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))', { type: 'recording', labels: {} })] },
]
const agents = () => [
  { id: 'web-1', last_push_at: at(6), interval_ms: 10000, up: true, state: 'fresh', version: '0.1.0', series: 461, clock_skew_ms: 12, probes: [
    { name: 'home', kind: 'http', target: 'https://shop.example/', success: false, duration_ms: 5003, last_at: at(6) },
    { name: 'checkout', kind: 'http', target: 'https://shop.example/checkout?with=a-rather-long-address-that-does-not-fit-on-a-phone', success: false, duration_ms: 5001, last_at: at(6) },
    { name: 'host', kind: 'host', target: '', success: true, duration_ms: 0.62, last_at: at(6) },
    { name: 'raid', kind: 'exec', target: '/usr/lib/nagios/plugins/check_raid', success: true, duration_ms: 41, last_at: at(36) }] },
  { id: 'db-2', last_push_at: at(34), interval_ms: 10000, up: true, state: 'late', version: '0.1.0', series: 402, clock_skew_ms: -3400, probes: [
    { name: 'host', kind: 'host', target: '', success: true, duration_ms: 0.71, last_at: at(34) }, { name: 'postgres', kind: 'tcp', target: '127.0.0.1:5432', success: null, duration_ms: null, last_at: null }] },
  { id: 'web-3', last_push_at: at(4000), interval_ms: 10000, up: false, state: 'lost', version: '0.1.0', series: 455, clock_skew_ms: 3, probes: [] },
]
const overview = () => ({
  state: open().length ? 'degraded' : 'ok', now: at(0), open_incidents: open(), n_firing: 3, n_pending: 1, agents: { fresh: 1, late: 1, lost: 1 },
  told: [{ receiver: 'mail', kind: 'email', last_sent_at: at(776), oldest_waiting_at: null }, { receiver: 'phone', kind: 'ntfy', last_sent_at: at(88000), oldest_waiting_at: at(780) }],
  rules: { groups: 2, rules: 7, broken: 1 }, evaluation: { last_at: at(4), max_ms: 12.4 },
  banners: [{ level: 'warn', text: 'Authentication is off: anyone on this machine can acknowledge and resolve.' }],
  hours: Array.from({ length: 24 }, (_, i) => ({ at: at((24 - i) * 3600), fired: [0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0, 5, 1, 0, 0, 0, 1, 3][i] })),
})
const MARKDOWN = `# ProbeDown on the shop\n\nINC-2026-0009, **critical**, lasted 31 min.\n\n## Summary\n\n> What happened, in three sentences?\n\n## Timeline\n\n| time (UTC) | what |\n|---|---|\n| 14:02:10 | ProbeDown fires |\n| 14:05:31 | ana acknowledged |\n\n## What to do\n\n- [ ] Alert on backends, not only on the front\n- [x] Tell support\n\nSee [the runbook](https://example.org/runbook).\n\n\`\`\`sh\nkubectl rollout undo deploy/shop\n\`\`\`\n`
const text = (words) => ({ type: 'text', text: words })
const nodes = () => [
  { type: 'heading', level: 1, children: [text('ProbeDown on the shop')] },
  { type: 'paragraph', children: [text('INC-2026-0009, '), { type: 'strong', children: [text('critical')] }, text(', lasted 31 min.')] },
  { type: 'heading', level: 2, children: [text('Summary')] }, { type: 'quote', children: [{ type: 'paragraph', children: [text('What happened, in three sentences?')] }] },
  { type: 'graph', id: 3, title: 'probe_success' },
  { type: 'heading', level: 2, children: [text('Timeline')] },
  { type: 'table', children: [['time (UTC)', 'what'], ['14:02:10', 'ProbeDown fires'], ['14:05:31', 'ana acknowledged']].map((row, i) => ({ type: 'row', children: row.map((words) => ({ type: 'cell', header: i === 0, children: [text(words)] })) })) },
  { type: 'heading', level: 2, children: [text('What to do')] },
  { type: 'list', ordered: false, children: [{ type: 'task', done: false, children: [text('Alert on backends, not only on the front')] }, { type: 'task', done: true, children: [text('Tell support')] }] },
  { type: 'paragraph', children: [text('See '), { type: 'link', href: 'https://example.org/runbook', children: [text('the runbook')] }, text('.')] },
  { type: 'code', block: true, lang: 'sh', text: 'kubectl rollout undo deploy/shop\n' },
]
const postmortem = () => ({
  id: 3, incident: 'INC-2026-0009', title: 'AgentSilent: web-3 has not pushed for 5 minutes', template: 'standard', status: 'draft', revision: state.revision,
  created_at: at(80000), updated_at: at(400), updated_by: 'ana', open_prompts: 2, markdown: state.markdown ?? MARKDOWN,
})

function matrix(form) {
  const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(form.get(name)))
  const query = form.get('query')
  const series = (metric, value) => ({ metric, values: Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, i) => [start + i * step, String(value(start + i * step))]) })
  if (query.includes('ALERTS')) return ['ProbeDown', 'HostDiskWillFillIn24Hours'].map((name, n) => series({ alertname: name }, (s) => (Math.floor(s / 3600 + n) % 7 === 0 ? 3 : 0)))
  if (query.startsWith('probe_success')) return [series({ __name__: 'probe_success', instance: 'https://shop.example/checkout' }, (s) => (s * 1000 > began - 840_000 ? 0 : 1))]
  return ['web-1', 'web-2', 'db-2'].map((instance, n) => series({ __name__: 'x', job: 'node', instance }, (s) => 0.3 + n * 0.2 + 0.1 * Math.sin(s / 300 + n) + 0.02 * Math.sin(s / 17)))
}

const prom = (data) => ({ status: 'success', data })
const routes = [
  ...drillRoutes,
  ...shadowRoutes,
  [/\/me$/, () => ({ auth: 'required', name: process.env.WHO ?? 'ana', scopes: ['read', 'operate'], csrf: 'x', version: '0.1.0', external_url: '' })],
  [/\/overview$/, overview],
  [/\/incidents\/INC-2026-0012\/ack$/, () => { state.acked = at(0); return incident12() }],
  [/\/incidents\/INC-2026-0012\/resolve$/, () => { state.resolved = at(0); return incident12() }],
  [/\/incidents\/INC-2026-0012\/notes$/, (_, body) => { const note = JSON.parse(body); state.notes.push({ id: 200 + state.notes.length, kind: 'human.note', class: 'human', occurred_at: note.occurred_at ?? at(0), recorded_at: at(0), actor: 'ana', source: 'dashboard', text: note.text, data: {} }); return state.notes.at(-1) }],
  [/deliveries$/, () => ({ deliveries: deliveries() })],
  [/\/silences$/, () => ({ silences: silences() })],
  [/\/alertd\/v1\/alerts$/, () => ({ alerts: [{ fingerprint: 'a1', name: 'ProbeDown', labels, silenced_by: ['s1'], incident: 'INC-2026-0012' }] })],
  [/\/silences\/preview$/, () => ({ matches_now: 1, mutes_now: true, alerts: [{ fingerprint: 'a1', name: 'ProbeDown', labels, incident: 'INC-2026-0012', silenced: false }], incidents: ['INC-2026-0012'], warning: null, window: null, past: { from: at(604800), to: at(0), notifications: 14, all_notifications: 200, incidents: 3, all_incidents: 41, is_part: false } })],
  [/\/incidents\/INC-2026-0012$/, () => ({ ...incident12(), alerts: [alert('https://shop.example/checkout', 0), alert('https://shop.example/', 0)], timeline: timeline(), notifications: notifications(), verdicts: [], escalations: [{ policy: 'shop', status: 'running', round: 0, step: 1, steps: 2, next_at: at(-240), person: null }] })],
  [/\/incidents\/(.+)$/, (url) => ({ ...[incident11(), ...resolvedOnes()].find((one) => url.pathname.endsWith(one.key)), alerts: [], timeline: [], notifications: [], verdicts: [], escalations: [] })],
  [/\/incidents$/, (url) => ({ incidents: [...(url.searchParams.get('status') === 'resolved' ? [] : open()), ...(url.searchParams.get('status') === 'open' ? [] : resolvedOnes())] })],
  [/\/alertd\/v1\/rules$/, () => ({ groups: groups() })],
  [/\/alertd\/v1\/rules\/\d+$/, (url) => ({ ...groups().flatMap((group) => group.rules).find((one) => url.pathname.endsWith(`/${one.id}`)), versions: [
    { version: 1, at: at(900000), source: 'rules/blackbox/alerts.yml', yaml: 'alert: ProbeDown\nexpr: probe_success == 0\nfor: 5m\nlabels:\n  severity: warning\n' },
    { version: 2, at: at(500000), source: 'rules/blackbox/alerts.yml', yaml: 'alert: ProbeDown\nexpr: probe_success == 0\nfor: 1m\nlabels:\n  severity: critical\n' }] })],
  [/\/agents$/, () => ({ agents: agents(), warnings: [] })],
  [/\/runbooks\/blackbox$/, () => ({ pack: 'blackbox', nodes: [{ type: 'heading', level: 1, children: [text('Runbook: blackbox')] }, { type: 'heading', level: 2, children: [text('ProbeDown')] }, { type: 'paragraph', children: [text('The probe failed for a minute. Someone outside sees an error or nothing.')] }, { type: 'list', ordered: true, start: 1, children: ['Open the address yourself.', 'Look at the phases: resolve, connect, tls, processing.', 'Was there a deploy?'].map((words) => ({ type: 'item', children: [text(words)] })) }, { type: 'heading', level: 2, children: [text('ProbeSlow')] }, { type: 'paragraph', children: [text('Slower than usual.')] }] })],
  [/\/templates$/, () => ({ templates: [{ id: 'quick', title: 'Quick' }, { id: 'standard', title: 'Standard' }] })],
  [/\/preview$/, () => ({ nodes: nodes() })],
  [/\/postmortems\/3$/, (_, body) => { if (body) { state.markdown = JSON.parse(body).markdown; state.revision++ } return postmortem() }],
  [/\/postmortems$/, () => ({ postmortems: [postmortem()] })],
  [/\/api\/v1\/alerts$/, () => prom({ alerts: [
    { labels: { ...labels, severity: 'critical' }, annotations: { summary: 'https://shop.example/checkout does not answer' }, state: 'firing', activeAt: at(840), value: '0e+00' },
    { labels: { ...labels, instance: 'https://shop.example/', severity: 'critical' }, annotations: { summary: 'https://shop.example/ does not answer' }, state: 'firing', activeAt: at(760), value: '0e+00' },
    { labels: { alertname: 'HostDiskWillFillIn24Hours', severity: 'warning', job: 'node', instance: 'db-2', mountpoint: '/var/lib/postgresql', device: '/dev/nvme0n1p3', fstype: 'ext4' }, annotations: { summary: '/var/lib/postgresql on db-2 fills within a day' }, state: 'firing', activeAt: at(9000), value: '-1.842e+09' },
    { labels: { alertname: 'ProbeSlow', severity: 'warning', job: 'blackbox', instance: 'https://shop.example/search' }, annotations: { summary: 'answers in 1.4 s' }, state: 'pending', activeAt: at(130), value: '1.4213' }] })],
  [/__name__\/values$/, () => prom(['node_load1', 'node_load5', 'node_memory_MemAvailable_bytes', 'probe_success', 'probe_duration_seconds', 'up'])],
  [/\/query_range$/, (_, body) => prom({ resultType: 'matrix', result: matrix(new URLSearchParams(body)) })],
  [/\/query$/, (_, body) => (new URLSearchParams(body).get('query').includes('bad') ? null : prom({ resultType: 'vector', result: ['web-1', 'web-2'].map((instance) => ({ metric: { __name__: 'up', job: 'node', instance }, value: [Date.now() / 1000, '1'] })) }))],
]

export function answer(from, to) {
  const url = new URL(from.url, 'http://x')
  if (url.pathname.endsWith('/events')) {
    to.writeHead(200, { 'Content-Type': 'text/event-stream' })
    to.write(': hello\n\n')
    return
  }
  let body = ''
  from.on('data', (piece) => { body += piece })
  from.on('end', () => {
    const route = routes.find(([pattern]) => pattern.test(url.pathname))
    const made = route?.[1](url, body)
    to.writeHead(made ? 200 : route ? 400 : 404, { 'Content-Type': 'application/json' })
    to.end(JSON.stringify(made ?? { status: 'error', errorType: 'bad_data', error: 'invalid parameter "query": 1:3: parse error: unexpected "bad"' }))
  })
}
