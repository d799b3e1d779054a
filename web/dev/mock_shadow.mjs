// Made-up shadows, their pages and readiness lists, in the shapes of docs/api.md.

const at = (secondsAgo) => new Date(Date.now() - secondsAgo * 1000).toISOString()
const DAY = 86_400
const people = Object.entries({ ana: 'Ana Ferreira', bo: 'Bo Lindqvist', dan: 'Dan Okafor', eve: 'Eve Larsson' }).map(([name, full_name]) => ({
  name, full_name, revision: 1, updated_at: at(9000), updated_by: 'ana', zone: 'Europe/Lisbon', warnings: [], contacts: [{ method: 'ntfy', address: 'https://ntfy.example/x', secret: false, broken: null, verified_at: at(90000), tested_at: at(90000), outcome: 'accepted', words: null }],
}))
const schedules = [{ name: 'web', title: 'Web shop', revision: 1, updated_at: at(9000), updated_by: 'ana', ical_since: null, overrides: [], spec: { name: 'web', zone: 'Europe/Berlin', layers: [] } }]
const shadows = [
  { id: 's1', revision: 1, spec: { id: 's1', person: 'dan', target_kind: 'schedule', target: 'web', mode: 'own copy', mentor: 'ana', from: at(3 * DAY), to: at(-11 * DAY) } },
  { id: 's2', revision: 1, spec: { id: 's2', person: 'eve', target_kind: 'person', target: 'ana', mode: 'observe', from: at(6 * DAY), to: at(-2 * DAY) } },
  { id: 's3', revision: 1, spec: { id: 's3', person: 'dan', target_kind: 'schedule', target: 'web', mode: 'reverse', mentor: 'ana', after_ms: 300_000, from: at(-11 * DAY), to: at(-18 * DAY) } },
  { id: 's4', revision: 1, spec: { id: 's4', person: 'bo', target_kind: 'person', target: 'ana', mode: 'own copy', from: at(40 * DAY), to: at(26 * DAY) } },
]
const incident = (key, title, severity, state) => ({ key, title, severity, state })
const none = { acted_on: null, made_sense: null, knew_where: null, answered_at: null }
const page = (id, person, secondsAgo, of, more = {}) => {
  const after = (seconds) => (seconds === undefined ? null : at(secondsAgo - seconds))
  const { seen, opened, acknowledged, hypothesis, hypothesisAt, notes, answers, deliveries, ...rest } = more
  return {
    id, person, full_name: people.find((one) => one.name === person).full_name, shadow: 's1', mode: 'own copy', mentor: 'ana', of: { kind: 'schedule', name: 'web' }, incident: of, made_at: at(secondsAgo), told_at: after(2),
    seen_at: after(seen), opened_at: after(opened), acknowledged_at: after(acknowledged), hypothesis: hypothesis ?? null, hypothesis_at: after(hypothesisAt), notes: notes ?? '',
    answers: answers ? { acted_on: true, made_sense: true, knew_where: false, answered_at: after(answers) } : { ...none }, deliveries: deliveries ?? [{ receiver: 'person:dan', kind: 'ntfy', state: 'sent', sent_at: after(2), error: null }], ...rest,
  }
}
const pages = [
  page(5, 'dan', 780, incident('INC-2026-0012', 'ProbeDown on https://shop.example/checkout', 'critical', 'triggered'), { seen: 70, opened: 75 }),
  page(4, 'eve', 5400, incident('INC-2026-0011', 'HostDiskWillFillIn24Hours on db-2:/var/lib/postgresql', 'warning', 'acknowledged'), { mode: 'observe', deliveries: [{ receiver: 'person:eve', kind: 'email', state: 'failed', sent_at: null, error: '550 no such mailbox' }], told_at: null }),
  page(3, 'dan', 90000, incident('INC-2026-0010', 'ProbeSlow on https://shop.example/', 'info', 'resolved'), { seen: 40, acknowledged: 95, hypothesis: 'The cache was emptied by the deploy at two; slow until it is warm again.', hypothesisAt: 400, notes: 'Looked at the phases first: all in processing.\nThen at deploys.', answers: 2400 }),
  page(2, 'dan', 180000, incident('INC-2026-0009', 'AgentSilent: web-3 has not pushed for 5 minutes', 'critical', 'resolved'), { mode: 'reverse', seen: 20, acknowledged: 33, hypothesis: 'The host rebooted', hypothesisAt: 200, answers: 4000 }),
]
const of = (id, seconds) => at((Date.now() - Date.parse(pages.find((one) => one.id === id).made_at)) / 1000 - seconds)
const timelines = (id) => ({
  shadow: [[2, 'told', 'Told by ntfy'], [40, 'seen', 'Seen'], [95, 'acknowledged', 'Acknowledged the copy'], [400, 'hypothesis', 'The cache was emptied by the deploy at two; slow until it is warm again.'], [2400, 'answered', 'Answered: acted on, made sense, did not know where to look']].map(([s, kind, words]) => ({ at: of(id, s), kind, words, actor: kind === 'told' ? null : 'dan' })),
  real: [[0, 'incident.opened', null, 'Opened for alertname=ProbeSlow'], [3, 'notify.sent', null, 'ntfy told Ana'], [61, 'ack', 'ana', 'ana acknowledged'], [310, 'human.note', 'ana', 'All the time is in processing. The deploy of 02:00 emptied the cache.'], [700, 'human.note', 'ana', 'Warming it by the crawler.'], [1900, 'incident.resolved', null, 'Resolved by itself']].map(([s, kind, actor, words]) => ({ at: of(id, s), kind, actor, words })),
  compared: [{ what: 'seen', shadow_ms: 40_000, real_ms: 52_000 }, { what: 'acknowledged', shadow_ms: 95_000, real_ms: 61_000 }, { what: 'hypothesis', shadow_ms: 400_000, real_ms: 310_000 }, { what: 'resolved', shadow_ms: null, real_ms: 1_900_000 }],
})
const row = (person, pagesGot, night, answered, sense, signed, done) => ({ person, full_name: people.find((one) => one.name === person).full_name, pages: pagesGot, night_pages: night, answered, made_sense: sense, gate: { needs_pages: 10, needs_sense: 0.8, sense: answered ? sense / answered : null, passed: answered >= 10 && sense / answered > 0.8 }, items_done: done, items_signed: signed, items: 7 })
const board = [row('bo', 16, 4, 14, 13, 7, 7), row('dan', 9, 2, 6, 4, 2, 4), row('eve', 1, 0, 0, 0, 0, 0)]
const item = (name, text, more = {}) => ({ item: name, text, question: null, evidence: null, answer: null, done_at: null, signed_by: null, signed_at: null, ...more })
const areas = [
  { area: 'The paging path', items: [item('contacts', 'A page reaches you on two ways, day and night', { evidence: '/people#dan', done_at: at(300000), signed_by: 'ana', signed_at: at(200000) }), item('ack', 'You know what happens when nobody acknowledges', { question: 'Who is paged after you, and when?', answer: 'Chen after five minutes, then Ana.', evidence: '/oncall', done_at: at(100000) })] },
  { area: 'Dashboards', items: [item('four', 'You find the four signals of the shop within a minute', { evidence: 'Showed it to Ana on Tuesday', done_at: at(200000), signed_by: 'ana', signed_at: at(100000) }), item('explain', 'You can read a firing expression', { question: 'What does ShopDown measure?' })] },
  { area: 'Runbooks', items: [item('runbook', 'You followed a runbook to its end', { evidence: 'https://wiki.example/oncall/dan-runbook-shop', done_at: at(70000) })] },
  { area: 'Escalation', items: [item('wake', 'You know whom to wake, and that waking them is right')] },
  { area: 'Postmortems', items: [item('read', 'You read the last three postmortems', { question: 'What would have caught the last one earlier?' })] },
]
const detail = (name) => ({ ...board.find((one) => one.person === name), counters: { pages_shadowed: 9, night_pages: 2, observed: 0, own_copy: 7, reverse_pages: 2, acknowledged: 6, took_over_by_mentor: 1, drills_done: null, runbooks_opened: null, contacts_verified: 1, contacts: 2 }, areas })
const byId = (url) => pages.find((one) => url.pathname.split('/')[5] === String(one.id))
const change = (url, make) => { const one = byId(url); make(one); return one }
const itemOf = (url) => areas.flatMap((area) => area.items).find((one) => url.pathname.split('/')[7] === one.item)

export const shadowRoutes = [
  [/\/v1\/people$/, () => ({ people })],
  [/\/v1\/schedules$/, () => ({ schedules })],
  [/\/v1\/shadows/, () => ({ shadows })],
  [/\/shadow-pages$/, (url) => ({ shadow_pages: pages.filter((one) => (url.searchParams.get('person') ?? one.person) === one.person && (url.searchParams.get('incident') ?? one.incident.key) === one.incident.key) })],
  [/\/shadow-pages\/\d+$/, byId],
  [/\/shadow-pages\/\d+\/timelines$/, (url) => (byId(url).hypothesis || url.searchParams.get('reveal') ? timelines(byId(url).id) : null)],
  [/\/shadow-pages\/\d+\/(seen|opened|acknowledge)$/, (url) => change(url, (one) => { const key = { seen: 'seen_at', opened: 'opened_at', acknowledge: 'acknowledged_at' }[url.pathname.split('/')[6]]; one[key] ??= at(0); one.seen_at ??= at(0) })],
  [/\/shadow-pages\/\d+\/(hypothesis|notes)$/, (url, body) => change(url, (one) => { const key = url.pathname.split('/')[6]; one[key] = JSON.parse(body).text; if (key === 'hypothesis') one.hypothesis_at ??= at(0) })],
  [/\/shadow-pages\/\d+\/answers$/, (url, body) => change(url, (one) => { one.answers = { ...JSON.parse(body), answered_at: at(0) } })],
  [/\/readiness$/, () => ({ people: board })],
  [/\/readiness\/[^/]+$/, (url) => (board.some((one) => one.person === url.pathname.split('/')[5]) ? detail(url.pathname.split('/')[5]) : null)],
  [/\/readiness\/[^/]+\/items\/[^/]+$/, (url, body) => { Object.assign(itemOf(url), JSON.parse(body), { done_at: at(0), signed_at: null }); return detail(url.pathname.split('/')[5]) }],
  [/\/readiness\/[^/]+\/items\/[^/]+\/sign$/, (url, body) => { Object.assign(itemOf(url), body ? { signed_by: 'ana', signed_at: at(0) } : { signed_by: null, signed_at: null }); return detail(url.pathname.split('/')[5]) }],
]
