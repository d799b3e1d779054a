import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shareWords, weekOf, weekStep } from '../src/lib/week.ts'

test('weeks of instants, and steps over the ends of years', () => {
  for (const [at, week] of [['2026-11-27T12:00:00Z', '2026-W48'], ['2026-01-01T00:00:00Z', '2026-W01'], ['2027-01-03T23:00:00Z', '2026-W53'], ['2024-12-30T00:00:00Z', '2025-W01']] as const) {
    assert.equal(weekOf(Date.parse(at)), week)
  }
  assert.equal(weekStep('2026-W53', 1), '2027-W01')
  assert.equal(weekStep('2027-W01', -1), '2026-W53')
  assert.equal(weekStep('2026-W47', 0), '2026-W47')
  assert.equal(weekStep('soon', 1), 'soon')
})

test('a share says how sure it is', () => {
  assert.deepEqual(shareWords(null, null, null), { short: '–', long: 'nobody said' })
  assert.equal(shareWords(0.5, 0.237, 0.763).long, '50 %; truly between 24 % and 76 % in 95 of 100 such weeks')
})
