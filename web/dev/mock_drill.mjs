// A made-up drill on a clock of its own, in the shapes of docs/api.md: enough to look at each page.

const MINUTE = 60_000
const library = () => [
  ['01-disk-filling', 'The disk that fills', 'first-day', 1, 'from a page to its graph to its runbook; the difference between a trend and an outage', 180, 2],
  ['02-certificate-expiry', 'A certificate warning since yesterday', 'first-day', 2, 'a warning in the evening is tomorrow’s outage', 90, 0],
  ['03-flapping-alert', 'The alert that comes and goes', 'first-week', 3, 'a flapping alert is a finding, not a nuisance: look at the sum of the short outages', 90, 0],
  ['06-silent-failure', 'A quiet afternoon', 'on-call', 6, 'no alert is no proof: believe the customer, find the missing alert, write it down', 120, 0],
  ['14-cloudflare-2019', '502 on everything', 'seasoned', 12, 'everything, at once: mend first, explain later', 80, 0, ['https://blog.example/details-of-the-outage']],
  ['20-gitlab-2017', 'A replica that will not follow', 'commander', 15, 'stay careful when tired; tell early', 240, 0, ['https://about.example/notes', 'https://about.example/report']],
  ['inc-2026-0009', 'ProbeDown on the shop', 'on-call', 0, 'what INC-2026-0009 was', 120, 0],
].map(([name, title, level, path, teaches, minutes, n, sources = []]) => ({
  name, title, level, path, teaches, brief: '', length_ms: minutes * MINUTE, real: sources.length > 0, reconstructed: null, sources: n > 0 ? sources : [], kind: 'drill', own: name.startsWith('inc'),
  played: { n, last_at_ms: n ? Date.now() - 90_000_000 : null },
}))

const ZERO = Date.parse('2026-03-02T14:00:00Z')
const ONSET = 70 * MINUTE
const PAGE = 101 * MINUTE
const PLAN = [
  [69 * MINUTE, 'happened', 'deploy', 'shop 2.31 to web-1, by ben: new checkout, DEBUG=1 left in the unit file'],
  [86 * MINUTE, 'pending', null, 'HostDiskFillsUp'], [100 * MINUTE, 'happened', 'chat', 'carl: is the shop slow for anybody else? no? then it is my train'],
  [PAGE, 'firing', null, 'HostDiskFillsUp'], [PAGE, 'opened', null, 'HostDiskFillsUp', '/var/log on web-1 is full within four hours', 1], [PAGE, 'page', 'ana', 'HostDiskFillsUp', '/var/log on web-1 is full within four hours', 1],
  [109 * MINUTE, 'happened', 'log', 'web-1 shop: DEBUG request body 48213 bytes written'],
]
const s = { acts: [], speed: 1, state: 'paused', base: 0, since: Date.now(), version: 1, notes: [], ended: false, keys: new Map() }
const now = () => Math.min(180 * MINUTE, s.base + (s.state === 'running' ? (Date.now() - s.since) * s.speed : 0))
const anchor = () => { s.base = now(); s.since = Date.now(); s.version++ }
const mendedAt = () => s.acts.find((one) => one.act === 'do' && one.verdict === 'good')?.at_ms ?? Infinity

function moments() {
  const over = mendedAt() + 20 * MINUTE
  const plan = [...PLAN, ...(over < Infinity ? [[over, 'resolved', null, 'HostDiskFillsUp'], [over, 'over', null, null, null, 1]] : [])]
  return [...plan.filter(([at]) => at <= now()).map(([at_ms, kind, who, what, more = null, incident = null]) => ({ at_ms, kind, who, what, more, incident, act: null })), ...s.acts]
    .sort((a, b) => a.at_ms - b.at_ms).map((one, n) => ({ n, ...one }))
}

function session(role) {
  const all = moments()
  const acked = s.acts.find((one) => one.act === 'ack' && one.at_ms >= PAGE)?.at_ms ?? null
  const over = all.find((one) => one.kind === 'over')?.at_ms ?? null
  const paged = now() >= PAGE
  const hints = s.acts.filter((one) => one.kind === 'hint')
  const labels = { alertname: 'HostDiskFillsUp', severity: 'warning', job: 'node', instance: 'web-1', mountpoint: '/var/log', device: '/dev/sdb1', fstype: 'ext4' }
  return {
    id: role === 'master' ? 8 : 7, version: s.version + all.length * 1000, drill: '01-disk-filling', title: 'The disk that fills', level: 'first-day', mode: role === 'master' ? 'master' : 'solo', team: null, state: s.state, role, player: 'ana', you: 'ana', oncall: ['ana', 'ben'],
    brief: 'You are on call for web-1, which serves the shop. Read the page, acknowledge it, look, decide. Nothing here is real: try things.',
    clock: { now_ms: now(), length_ms: 180 * MINUTE, zero_ms: ZERO, wall_ms: ZERO + now(), lead_ms: 0, speed: s.speed, onset_ms: role === 'master' || s.state === 'ended' ? ONSET : null },
    alerts: paged && over === null ? [{ labels, annotations: { summary: '/var/log on web-1 is full within four hours', description: 'At the pace of the last hour. There is still time to find out what writes.', runbook_url: 'http://127.0.0.1/runbooks/host#hostdiskfillsup' }, state: 'firing', since_ms: 86 * MINUTE, value: -2.1e9 }] : [],
    incidents: paged ? [{ n: 1, title: 'HostDiskFillsUp: /var/log on web-1 is full within four hours', opened_ms: PAGE, over_ms: over, acked_ms: acked, alerts: ['{alertname="HostDiskFillsUp", instance="web-1"}'] }] : [],
    pages: paged ? [{ at_ms: PAGE, who: 'ana', what: 'HostDiskFillsUp', incident: 1, acked: acked !== null }] : [],
    moments: all, graphs: ['node_filesystem_avail_bytes', 'node_disk_written_bytes_total'], runbooks: ['host#hostdiskfillsup', 'host#hostdiskfull'],
    questions: [['where', 'Which file system fills?'], ['when', 'What happened just before it began?']].map(([id, text]) => ({ id, text, answered: s.acts.some((one) => one.act === 'answer' && one.more === id) })),
    hints: { left: 2 - hints.length, next_cost: hints.length + 1, given: hints.map((one) => ({ at_ms: one.at_ms, text: one.what })) }, notes: s.notes,
  }
}

function act(body) {
  const { kind, id = null, text = null, key } = JSON.parse(body)
  if (!s.keys.has(key)) {
    const hint = kind === 'hint'
    const moment = { at_ms: now(), kind: hint ? 'hint' : 'act', who: null, what: hint ? 'When did the slope begin? Look for what was changed in that minute.' : text, more: id, incident: null, act: kind, ...(kind === 'do' ? { ...(/debug|truncate|roll ?back/i.test(text) ? { verdict: 'good', worth: 'mends' } : {}) } : {}) }
    s.acts.push(moment)
    s.keys.set(key, moment)
    s.version++
  }
  return { moment: { n: 0, ...s.keys.get(key) } }
}

function clock(body) {
  const { state, speed, jump } = JSON.parse(body)
  anchor()
  if (speed) s.speed = speed
  if (jump) s.base = Math.max(s.base, ONSET)
  if (state) s.state = state
  return { state: s.state, version: session('player').version, clock: session('player').clock }
}

const clocks = () => [['seen', 62, 300, 0], ['ack', 70, 300, null], ['graph', 190, 600, null], ['runbook', 800, 900, null], ['hypothesis', 400, null, null], ['right', 1630, 1500, 2400], ['tell', 1900, null, 1500], ['escalate', null, null, null], ['mitigation', 2100, 2400, 5400]]
  .map(([name, at, limit, really]) => ({ clock: name, after_ms: at === null ? null : at * 1000, at_ms: at === null ? null : PAGE + at * 1000, limit_ms: limit === null ? null : limit * 1000, met: at !== null && (limit === null || at <= limit), really: really === null ? null : { after_ms: really * 1000, note: name === 'mitigation' ? '“rolled back at 16:31”' : null }, own_past: at === null ? [] : [at * 1700, at * 1300], team_median_ms: at === null ? null : at * 1150 }))
const score = () => ({
  clocks: clocks(), counts: [['wrong', 1, null], ['herrings', 1, 0], ['harm', 0, 0], ['hints', 1, null], ['cost', 1, null], ['answers', 2, 2], ['misses', 0, null]].map(([count, n, limit]) => ({ count, n, limit, met: limit === null ? null : count === 'answers' ? n >= limit : n <= limit })),
  moments: moments(), paged: true, truth: [{ at_ms: ONSET, kind: 'onset', text: 'the trouble begins' }, ...PLAN.filter(([, kind]) => kind === 'happened').map(([at_ms, , kind, text]) => ({ at_ms, kind, text }))],
  hypotheses: [{ id: 'debug', text: 'the debug log of the deploy fills /var/log', worth: 'right' }, { id: 'traffic', text: 'there are more visitors than usual', worth: 'wrong' }],
  actions: [{ id: 'truncate', text: 'switch DEBUG off and truncate the log', worth: 'right' }, { id: 'du', text: 'find what is large: du -xh /var/log', worth: 'relevant' }, { id: 'reboot', text: 'reboot web-1', worth: 'herring' }, { id: 'rm', text: 'delete the log file while it is open', worth: 'harm' }],
  debrief: 'A debug flag of the 14:10 deploy wrote every request into /var/log. The page came hours before the disk was full: that is what the trend alert is for. Truncating the log and switching the flag off mends it.',
})
const debrief = () => ({
  version: 1, etag: '"1"', sections: [
    { id: 'surprised', title: 'What surprised you?', kind: 'person', markdown: '', body: '', revision: 0, author: null }, { id: 'lacked', title: 'What did no document tell you?', kind: 'person', markdown: '', body: 'Where the debug flag lives.', revision: 1, author: 'ana' },
    { id: 'missed', title: 'Signals that were there', kind: 'facts', markdown: '- `node_disk_written_bytes_total` rose **tenfold** at 15:10' },
    { id: 'next', title: 'Next', kind: 'facts', markdown: '| what | where |\n|---|---|\n| a rule that pages earlier | [the tuner](/rules) |\n| the next drill | [A certificate warning since yesterday](/drills) |' },
  ],
})
const practice = () => ({ who: 'ana', drills: [{ drill: '01-disk-filling', n: 3, last_at: null, runs: [1.7, 1.3, 1].map((slow, i) => ({ session: i + 1, at: new Date(Date.now() - (3 - i) * 90_000_000).toISOString(), clocks: Object.fromEntries(clocks().map((one) => [one.clock, one.after_ms === null ? null : one.after_ms * slow])) })), median: Object.fromEntries(clocks().map((one) => [one.clock, one.team_median_ms])) }] })

function samples(url, body) {
  const form = new URLSearchParams(body || url.search)
  const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(form.get(name)))
  const at = (second) => (second * 1000 - ZERO - ONSET) / MINUTE
  const values = []
  for (let second = start; second <= Math.min(end, (ZERO + now()) / 1000); second += step) values.push([second, String(form.get('query').includes('written') ? (at(second) > 0 ? 2.5e6 : 2e5) : 13e9 - 0.14e9 * Math.max(0, Math.min(at(second), (mendedAt() - ONSET) / MINUTE)))])
  return { status: 'success', data: { resultType: 'matrix', result: [{ metric: { __name__: 'x', instance: 'web-1', mountpoint: '/var/log' }, values }] } }
}
const rules = () => ({ status: 'success', data: { groups: [{ rules: [{ type: 'alerting', name: 'HostDiskFillsUp', query: 'predict_linear(node_filesystem_avail_bytes{fstype!~"tmpfs"}[1h], 4 * 3600) < 0 and node_filesystem_readonly == 0' }] }] } })
const head = (id, mode) => ({ id, drill: '01-disk-filling', title: 'The disk that fills', mode, state: s.state, player: 'ana', started_at_ms: Date.now() - 90_000, ended_at_ms: null })

export const drillRoutes = [
  [/\/drills\/library$/, () => ({ drills: library() })],
  [/\/drills\/library\/[^/]+\/preview$/, () => ({ moments: PLAN.map(([at_ms, kind, who, what, more = null, incident = null], n) => ({ n, at_ms, kind, who, what, more, incident, act: null })), n_moments: PLAN.length, failures: [], checks: 14, findings: [{ line: 5, column: 12, severity: 'warning', text: 'no rule reads node_disk_written_bytes_total' }] })],
  [/\/drills\/library\/[^/]+$/, () => ({ text: 'drill "ProbeDown on the shop"\n    level on-call\n    length 2h\n    rules blackbox\n    oncall ana after 5m ben\n    samples window.om\n', files: [{ name: 'window.om', bytes: 48000 }, { name: 'rules.yml', bytes: 20, text: 'groups: []\n' }] })],
  [/\/drills\/practice$/, practice],
  [/\/drills$/, (url, body) => (body ? (Object.assign(s, { acts: [], speed: 1, state: 'paused', base: 0, notes: [] }), anchor(), { id: 7 }) : { sessions: s.acts.length ? [head(7, 'solo')] : [] })],
  [/\/drills\/\d+\/acts$/, (_, body) => act(body)], [/\/drills\/\d+\/clock$/, (_, body) => clock(body)],
  [/\/drills\/\d+\/injects$/, (_, body) => { const { kind, text } = JSON.parse(body); s.acts.push({ at_ms: now(), kind: 'happened', who: kind, what: text, more: null, incident: null, act: null }); return {} }],
  [/\/drills\/\d+\/notes$/, (_, body) => { s.notes.push({ at_ms: now(), who: 'ana', private: false, ...JSON.parse(body) }); s.version++; return {} }],
  [/\/drills\/\d+\/end$/, () => { anchor(); s.state = 'ended'; return score() }], [/\/drills\/\d+\/score$/, score], [/\/drills\/\d+\/debrief$/, debrief], [/\/debrief\/sections\//, debrief],
  [/\/drills\/\d+\/api\/v1\/rules$/, rules], [/\/drills\/\d+\/api\/v1\/query_range$/, samples],
  [/\/drills\/8$/, () => session('master')], [/\/drills\/\d+$/, () => session('player')],
]
