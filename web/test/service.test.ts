// A service's card goes through its form unchanged, and what is wrong in the form is said.

import assert from 'node:assert/strict'
import test from 'node:test'
import type { ServiceSpec } from '../src/app/types.ts'
import { formOf, specOf } from '../src/lib/service.ts'

const WHOLE: ServiceSpec = {
  owner: 'team shop', tier: 1, description: 'Takes orders.', when_down: 'Nobody can buy.', match: { job: 'shop', env: 'prod' }, depends_on: ['database', 'payments'],
  rules: ['ShopDown'], runbooks: [{ title: 'Down', url: 'https://runbooks.example/shop' }], dashboards: [{ url: '/explore?expr=up' }],
  slos: [{ name: 'availability', objective: 0.9995, window: '30d', good: 'sum(rate(ok[$window]))', total: 'sum(rate(all[$window]))' }],
}

test('a card goes through the form unchanged', () => {
  assert.deepEqual(specOf(formOf(WHOLE)), { spec: WHOLE })
  assert.deepEqual(specOf(formOf({})), { spec: {} })
})

for (const [name, change, words] of [
  ['a label without a value', { match: 'job=' }, /"job=" is not name=value/],
  ['a tier that is none', { tier: 'high' }, /Tier/],
  ['an objective without a name', { slos: [{ name: '', percent: '99', window: '', good: 'x', total: 'y' }] }, /needs a name/],
  ['an objective of everything', { slos: [{ name: 'a', percent: '100', window: '', good: 'x', total: 'y' }] }, /between 0 and 100/],
] as const) {
  test(`${name} is said`, () => {
    const answer = specOf({ ...formOf(WHOLE), ...change } as Parameters<typeof specOf>[0])
    assert.match('wrong' in answer ? answer.wrong : '', words)
  })
}

test('rows left empty are left out, quotes around a value are none of it', () => {
  const answer = specOf({ ...formOf({}), match: 'job="shop"', depends_on: 'a, b\n\nc', runbooks: [{ title: 'later', url: ' ' }] })
  assert.deepEqual(answer, { spec: { match: { job: 'shop' }, depends_on: ['a', 'b', 'c'] } })
})
