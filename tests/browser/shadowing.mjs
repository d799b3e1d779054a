// Dan learns: copies of three pages in all states, a reverse one, shadows now, next and over, a list
// that is half signed. After seed(), whose policy pages whoever is on call in "web".

import { until } from './daemon.mjs'

const V1 = '/api/alertd/v1'
const at = (hours) => new Date(Date.now() + hours * 3_600_000).toISOString()

/** Whoever is on call in "web" is paged about it; answers with the copy of who shadows. */
async function pageOf(alertd, person, name, summary) {
  await alertd.post('/api/v2/alerts', [{ labels: { alertname: name, severity: 'critical', team: 'queue', instance: 'queue-1', queue: 'orders' }, annotations: { summary } }])
  const pages = () => alertd.get(`${V1}/shadow-pages?person=${person}`).then((answer) => answer.shadow_pages)
  const incident = () => alertd.get(`${V1}/incidents?status=all`).then((answer) => answer.incidents.find((one) => one.labels.alertname === name))
  const { key } = await until(`an incident ${name}`, incident)
  return until(`a copy of ${name}`, async () => (await pages()).find((one) => one.incident.key === key))
}

export const pageDan = (alertd, name, summary) => pageOf(alertd, 'dan', name, summary)

/** Dan, with a contact that works and a shadow of "web"; his token. */
export async function seedDan(alertd, mode = 'own copy') {
  await alertd.post(`${V1}/people`, { name: 'dan', full_name: 'Dan Moreau', zone: 'Europe/Lisbon', contacts: [{ method: 'webhook', address: `http://127.0.0.1:${alertd.hook.address().port}/` }] })
  const shadow = (mode, from, to, more = {}) => alertd.post(`${V1}/shadows`, { person: 'dan', target_kind: 'schedule', target: 'web', mode, mentor: 'ana', from: at(from), to: at(to), ...more })
  await shadow(mode, -48, 200)
  await shadow('reverse', 200, 360, { after_ms: 300_000 })
  await shadow('observe', -800, -460)
  return (await alertd.post(`${V1}/tokens`, { name: 'dan', scopes: ['operate'] })).token
}

export async function seedShadowing(alertd) {
  const token = await seedDan(alertd)
  const dan = (id, what, json = {}) => alertd.call('POST', `${V1}/shadow-pages/${id}/${what}`, json, { token })
  const old = await pageDan(alertd, 'OrdersStuck', 'Orders wait for 12 minutes')
  await dan(old.id, 'seen')
  await dan(old.id, 'acknowledge')
  await alertd.post(`${V1}/incidents/${old.incident.key}/ack`)
  await dan(old.id, 'hypothesis', { text: 'The payment provider is slow, so the workers wait.' })
  await dan(old.id, 'notes', { text: 'Looked at the queue first; then at the workers: all of them wait for an answer.' })
  await alertd.post(`${V1}/incidents/${old.incident.key}/notes`, { text: 'Workers hang in the payment call. Turning on the short timeout.' })
  await dan(old.id, 'answers', { acted_on: true, made_sense: true, knew_where: false })
  await alertd.post(`${V1}/incidents/${old.incident.key}/resolve`)
  const fresh = await pageDan(alertd, 'BacklogGrows', '4,210 orders wait, twice as many as an hour ago')
  await alertd.post(`${V1}/shadows`, { person: 'eve', target_kind: 'person', target: 'ana', mode: 'observe', from: at(-1), to: at(90) })
  await alertd.post(`${V1}/people`, { name: 'fay', full_name: 'Fay Njoroge', contacts: [{ method: 'webhook', address: `http://127.0.0.1:${alertd.hook.address().port}/` }] })
  await alertd.post(`${V1}/shadows`, { person: 'fay', target_kind: 'schedule', target: 'web', mode: 'reverse', mentor: 'ana', after_ms: 120_000, from: at(-1), to: at(90) })
  const first = await pageOf(alertd, 'fay', 'PaymentsSlow', 'Half of the payments take longer than 10 s')
  const list = await alertd.get(`${V1}/readiness/dan`)
  const items = list.areas.flatMap((area) => area.items)
  const put = (i, evidence, answer) => alertd.call('PUT', `${V1}/readiness/dan/items/${items[i].item}`, { evidence, ...(items[i].question && answer ? { answer } : {}) }, { token })
  await put(0, '/people#dan', 'Ana, after five minutes.')
  await put(1, 'Walked through it with Ana on Tuesday', 'Whoever is next in the policy.')
  await put(2, 'https://wiki.example/oncall/dan', 'The queue, then its workers.')
  await alertd.post(`${V1}/readiness/dan/items/${items[0].item}/sign`)
  return { danToken: token, compared: old.id, fresh: fresh.id, shadowed: fresh.incident.key, reverse: first.id }
}
