// What is typed into the note box is read into a kind, words and a time, and the window of a
// long timeline is counted from its newest row.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { costWords, kindWords, parseAt, parseTyped, windowOf } from '../src/lib/record.ts'

const NOW = Date.UTC(2026, 10, 23, 14, 30)
const at = (hour: number, minute: number, second = 0) => Date.UTC(2026, 10, 23, hour, minute, second)

test('a first word picks the kind, a time takes it back', () => {
  const rows: [string, string, string, number | null, boolean][] = [
    ['restarted nginx', 'human.note', 'restarted nginx', null, false],
    ['h: the pool is full', 'human.hypothesis', 'the pool is full', null, false],
    ['H: the pool is full', 'human.hypothesis', 'the pool is full', null, false],
    ['$ df -h', 'human.command', 'df -h', null, false],
    ['$5 was charged', 'human.note', '$5 was charged', null, false],
    ['http://x is down', 'human.note', 'http://x is down', null, false],
    ['d: turn it off @14:02', 'human.decision', 'turn it off', at(14, 2), false],
    ['d: turn it off @~14:00', 'human.decision', 'turn it off', at(14, 0), true],
    ['@-5m d: turn it off', 'human.decision', 'turn it off', at(14, 25), false],
    ['14:05 restarted nginx', 'human.note', 'restarted nginx', at(14, 5), false],
    ['14:05 a: restarted nginx', 'human.action', 'restarted nginx', at(14, 5), false],
    ['a: 14:05 restarted nginx', 'human.action', 'restarted nginx', at(14, 5), false],
    ['mail ana@14:02', 'human.note', 'mail ana@14:02', null, false],
    ['cause: a full disk', 'cause.identified', 'a full disk', null, false],
    ['x: unknown words stay', 'human.note', 'x: unknown words stay', null, false],
    ['h:', 'human.note', 'h:', null, false],
  ]
  for (const [typed, kind, text, atMs, approx] of rows) {
    const read = parseTyped(typed, '', NOW, 'utc')
    assert.deepEqual([read.kind, read.text, read.atMs, read.approx], [kind, text, atMs, approx], typed)
  }
  assert.equal(parseTyped('the pool', 'human.hypothesis', NOW, 'utc').kind, 'human.hypothesis')
  assert.equal(parseTyped('o: the pool', 'human.hypothesis', NOW, 'utc').kind, 'human.observation')
})

test('a moment as it is typed into a form', () => {
  assert.equal(parseAt('14:02', NOW, 'utc'), at(14, 2))
  assert.equal(parseAt('23:02', NOW, 'utc'), at(23, 2) - 86_400_000)
  assert.equal(parseAt('2026-11-23 14:02:05', NOW, 'utc'), at(14, 2, 5))
  assert.equal(parseAt('2026-11-23T14:02:00+01:00', NOW, 'utc'), at(13, 2))
  for (const wrong of ['', 'noon', '2026-11-24 14:02', '14:02 and more']) assert.equal(parseAt(wrong, NOW, 'utc'), null, wrong)
})

test('windows from the newest row', () => {
  assert.deepEqual(windowOf(0, 250, 100), { from: 150, to: 250, pages: 3 })
  assert.deepEqual(windowOf(2, 250, 100), { from: 0, to: 50, pages: 3 })
  assert.deepEqual(windowOf(9, 250, 100), { from: 0, to: 50, pages: 3 })
  assert.deepEqual(windowOf(0, 0, 100), { from: 0, to: 0, pages: 1 })
})

test('kinds as a person says them', () => {
  assert.equal(kindWords('human.hypothesis'), 'Hypothesis')
  assert.equal(kindWords('change.deploy'), 'change: deploy')
})

test('what a setting would have cost', () => {
  const none = { alerts_30d: null, alerts_30d_then: null, pages_30d: null, pages_30d_then: null }
  assert.equal(costWords(none), null)
  assert.equal(costWords({ alerts_30d: 3, alerts_30d_then: 1, pages_30d: 2, pages_30d_then: 0 }), '3 alerts (as it was 1), 2 pages (0)')
  assert.equal(costWords({ ...none, alerts_30d: 1, pages_30d: 0 }), '1 alert, 0 pages')
})
