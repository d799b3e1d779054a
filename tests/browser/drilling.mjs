// What the tests of drills play: two drills of this place, one that pages at once and one of text
// only; people who play, each under a name of their own, so that nobody finds what another left.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from './daemon.mjs'

const V1 = '/api/alertd/v1'
const DRILLS = `${V1}/drills`

const BELL = `drill "The bell that rings at once"
    path 91
    level first-day
    teaches "to answer a page"
    brief "You are on call for the shop."
    debrief "The deploy broke it."
    start 2026-03-02T14:00:00Z
    interval 15s
    length 30m
    onset 1m
    rules bell.yml
    oncall ana after 5m ben
    series up{job="shop",instance="web-1"} 1
    series shop_orders{instance="web-1"} 40 noise 5%
    fault set up 0 from 1m until mended after 15s
    fault set shop_orders 0 from 1m until mended after 15s
    graph up shop_orders
    question where "Which machine?" accept "web-1"
    hypothesis deploy right "the deploy broke it" accept ~"deploy"
    hypothesis traffic wrong "too many visitors" accept ~"visitors|traffic"
    action rollback mends "roll back" accept ~"roll ?back"
    hint cost 1 "What was changed?"
    limit ack 5m
    limit mitigation 15m
`
const BELL_RULES = `groups:
  - name: bell
    interval: 15s
    rules:
      - alert: ShopDown
        expr: up{job="shop"} == 0
        labels: {severity: critical}
        annotations: {summary: The shop is down}
`
const PAPER = `drill "The night the payments stopped"
    path 92
    level commander
    teaches "to lead without a graph"
    brief "Nobody can pay since midnight, and nothing alerted. Ask, and your game master answers."
    length 40m
    oncall ana
    at 1m customer "I cannot pay since midnight."
    question cause "What is it?" accept ~"certificate|cert"
    hypothesis cert right "the provider's certificate expired" accept ~"cert"
    action call mends "call the provider" accept ~"call|provider"
`

/** bell and paper, in the library of this alertd. */
export function ownDrills(alertd) {
  for (const [name, files] of Object.entries({ bell: { 'drill.drill': BELL, 'bell.yml': BELL_RULES }, paper: { 'drill.drill': PAPER } })) {
    const folder = join(alertd.folder, 'data/drills', name)
    mkdirSync(folder, { recursive: true })
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
  }
}

/** Somebody who plays: a name, a token, and what they ask of alertd and do in it. */
export async function someone(alertd, name) {
  const { token } = await alertd.post(`${V1}/tokens`, { name, scopes: ['read', 'operate'] })
  const call = (method, path, body) => alertd.call(method, path, body, { token })
  return {
    name, token,
    /** The same seed: the same minutes in every run. */
    begin: async (more = {}) => (await call('POST', DRILLS, { drill: 'bell', mode: 'solo', seed: 7, start: 'paused', ...more })).id,
    session: (id) => call('GET', `${DRILLS}/${id}`),
    acts: async (id, kind) => (await call('GET', `${DRILLS}/${id}`)).moments.filter((one) => one.act === kind),
    score: (id) => call('GET', `${DRILLS}/${id}/score`),
    sessions: async () => (await call('GET', `${DRILLS}?who=me`)).sessions,
    clock: (id, change) => call('POST', `${DRILLS}/${id}/clock`, change),
    act: (id, kind, text) => call('POST', `${DRILLS}/${id}/acts`, { kind, ...(text ? { text } : {}) }),
    end: (id) => call('POST', `${DRILLS}/${id}/end`, {}),
  }
}

/** Gus can be reached, and the policy of the queue's alerts pages him. */
export async function reachGus(alertd) {
  await alertd.post(`${V1}/people`, { name: 'gus', full_name: 'Gus Adeyemi', contacts: [{ method: 'webhook', address: `http://127.0.0.1:${alertd.hook.address().port}/` }] })
  await alertd.post(`${V1}/policies`, { name: 'shop', title: 'Shop is down', steps: [{ delay_ms: 3_600_000, targets: [{ person: 'gus' }] }] })
}

/** Gus is really paged; answers with the incident's key. */
export async function pageGus(alertd) {
  await alertd.post('/api/v2/alerts', [{ labels: { alertname: 'OrdersStuck', severity: 'critical', team: 'queue' }, annotations: { summary: 'Orders wait for 12 minutes' } }])
  const incidents = async () => (await alertd.get(`${V1}/incidents?status=all`)).incidents
  return (await until('a real incident', async () => (await incidents()).find((one) => one.labels.alertname === 'OrdersStuck'))).key
}

/** An incident that a rule opened and that is over; answers with its key. */
export async function pastIncident(alertd) {
  const token = await alertd.agentToken('db-2')
  const push = (ratio) => alertd.push(`disk_free_ratio{instance="db-2",mountpoint="/data"} ${ratio}`, token, 'db-2')
  await push(0.04)
  await alertd.importRules(`groups:
  - name: disk
    interval: 1s
    rules:
      - alert: DiskFills
        expr: disk_free_ratio < 0.1
        labels: {severity: warning}
        annotations: {summary: '{{ $labels.mountpoint }} on {{ $labels.instance }} is nearly full'}
`, 'rules/disk/alerts.yml')
  const find = async () => (await alertd.get(`${V1}/incidents?status=all`)).incidents.find((one) => one.labels.alertname === 'DiskFills')
  await until('an incident for the disk', find)
  await push(0.64)
  return (await until('it is over', async () => { const one = await find(); return one.status === 'resolved' && one })).key
}
