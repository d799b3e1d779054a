// Does anything need me? Never green when stale, and green needs evidence.

import assert from 'node:assert/strict'
import test from 'node:test'
import type { Incident, Overview } from '../src/app/types.ts'
import { pulseOf, unacknowledged, verdictOf } from '../src/lib/verdict.ts'

const NOW = '2026-08-21T12:00:00.000Z'
const incident = (status: Incident['status']) => ({ key: 'INC-1', status }) as Incident
const fine: Overview = {
  state: 'ok', now: NOW, open_incidents: [], n_firing: 0, n_pending: 0, agents: { fresh: 2, late: 0, lost: 0 },
  told: [{ receiver: 'mail', kind: 'email', last_sent_at: null, oldest_waiting_at: null }], rules: { groups: 1, rules: 9, broken: 0 },
  evaluation: { last_at: '2026-08-21T11:59:50.000Z', max_ms: 2 }, banners: [], hours: [],
}

for (const [name, change, tone] of [
  ['all is well', {}, 'ok'],
  ['an incident nobody took', { open_incidents: [incident('triggered')] }, 'bad'],
  ['an incident someone took', { open_incidents: [incident('acknowledged')] }, 'warn'],
  ['nobody is told', { told: [] }, 'warn'],
  ['only the dashboard is told', { told: [{ receiver: 'dashboard', kind: 'dashboard', last_sent_at: null, oldest_waiting_at: null }] }, 'warn'],
  ['a page waits for minutes', { told: [{ receiver: 'mail', kind: 'email', last_sent_at: null, oldest_waiting_at: '2026-08-21T11:50:00.000Z' }] }, 'warn'],
  ['a page has only just been made', { told: [{ receiver: 'mail', kind: 'email', last_sent_at: null, oldest_waiting_at: '2026-08-21T11:59:50.000Z' }] }, 'ok'],
  ['an agent is silent', { agents: { fresh: 1, late: 0, lost: 1 } }, 'warn'],
  ['no rules at all', { rules: { groups: 0, rules: 0, broken: 0 } }, 'warn'],
  ['rules that were not evaluated for long', { evaluation: { last_at: '2026-08-21T11:50:00.000Z', max_ms: 2 } }, 'warn'],
  ['rules never evaluated', { evaluation: { last_at: null, max_ms: null } }, 'warn'],
  ['a broken rule', { rules: { groups: 1, rules: 9, broken: 1 } }, 'warn'],
  ['alertd says it is down', { state: 'down' }, 'bad'],
  ['alertd says degraded, without a reason we know', { state: 'degraded' }, 'warn'],
] as [string, Partial<Overview>, string][]) {
  test(`${name}: ${tone}`, () => assert.equal(verdictOf({ ...fine, ...change }, 'live', 1000).tone, tone))
}

test('what is old is never green', () => {
  assert.equal(verdictOf(fine, 'late', 30_000).tone, 'warn')
  assert.equal(verdictOf(fine, 'lost', 90_000).tone, 'unknown')
  assert.equal(verdictOf(undefined, 'live', 0).tone, 'unknown')
})

test('an incident stays one when the page is old, until nothing is known', () => {
  const open = { ...fine, open_incidents: [incident('triggered')] }
  assert.equal(verdictOf(open, 'late', 30_000).tone, 'bad')
  assert.match(verdictOf(open, 'lost', 90_000).reasons[0] ?? '', /1 min old/)
})

test('the pulse: amber after 20 s, lost after 60 s or before the first word', () => {
  assert.equal(pulseOf(100_000, 120_000), 'live')
  assert.equal(pulseOf(100_000, 120_001), 'late')
  assert.equal(pulseOf(100_000, 160_001), 'lost')
  assert.equal(pulseOf(0, 1000), 'lost')
})

test('the number in the tab is of those nobody took', () => {
  assert.equal(unacknowledged({ ...fine, open_incidents: [incident('triggered'), incident('acknowledged')] }), 1)
  assert.equal(unacknowledged(undefined), 0)
})
