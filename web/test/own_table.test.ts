// A team's tables for postmortems: rows as lines, and which row an error means.

import assert from 'node:assert/strict'
import test from 'node:test'
import { choiceLine, conditions, hintLine, moved, wrongRow } from '../src/lib/own_table.ts'

test('rows as lines', () => {
  assert.equal(hintLine({ phrase: 'human error', kind: 'blame', advice: 'Name the condition.' }), '“human error” (blame): Name the condition.')
  assert.equal(choiceLine({ template: 'major', due_days: 3, why: 'we say so', severities: 'sev1  p1', data_lost: true, scopes_over: 1 }),
    'major, due in 3 d, when severity sev1 or p1, data was lost, more than 1 scope of impact: we say so')
  assert.equal(conditions({ template: 'quick', due_days: 5, why: '', scopes_over: 0, longer_than_min: 0, paged: false, origin: '' }), 'anything else')
  assert.equal(conditions({ template: 'x', due_days: 5, why: '', origin: 'near_miss', repeats: true, paged: true, longer_than_min: 30 }),
    'it was declared a near miss, it happened before, somebody was paged, it lasted more than 30 min')
})

test('the row that an answer means', () => {
  assert.deepEqual(wrongRow('rows[3]: kind: is missing'), { row: 3, words: 'Row 4: kind: is missing' })
  assert.deepEqual(wrongRow('rows[3]: phrase: rows[0] has it too'), { row: 3, words: 'Row 4: phrase: row 1 has it too' })
  assert.deepEqual(wrongRow('ana saved revision 3 meanwhile'), { row: -1, words: 'ana saved revision 3 meanwhile' })
})

test('a row is moved', () => {
  assert.deepEqual(moved(['a', 'b', 'c'], 2, 0), ['c', 'a', 'b'])
  assert.deepEqual(moved(['a', 'b', 'c'], 0, 1), ['b', 'a', 'c'])
  assert.deepEqual(moved([], 0, 1), [])
})
