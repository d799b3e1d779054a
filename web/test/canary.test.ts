import assert from 'node:assert/strict'
import test from 'node:test'
import { changeWords } from '../src/lib/canary.ts'

const side = (alerts: number, pages: number) => ({ alerts, pages })

test('a candidate beside its rule, in a sentence', () => {
  for (const [current, candidate, words] of [
    [side(0, 0), side(0, 0), 'Neither has fired yet: there is nothing to compare so far.'],
    [side(3, 0), side(0, 0), 'Neither would have paged anybody so far.'],
    [side(3, 1), side(1, 1), 'As many pages as the rule: 1 page.'],
    [side(40, 31), side(20, 17), '14 pages fewer than the rule: 17 instead of 31.'],
    [side(1, 0), side(1200, 1200), '1,200 pages more than the rule: 1,200 instead of 0.'],
  ] as const) assert.equal(changeWords(current, candidate), words)
})
