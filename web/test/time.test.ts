// Times as people read and type them.

import assert from 'node:assert/strict'
import test from 'node:test'
import { DAY, HOUR, MINUTE, formatAge, formatAgo, formatDuration, formatElapsed, formatExact, formatShort, formatTook,
         parseDuration, parseMoment, parseNote, parseRange, parseTime } from '../src/lib/time.ts'

const NOON = Date.UTC(2026, 7, 21, 12, 0, 0)

const each = (name: string, rows: [unknown, unknown][], of: (input: never) => unknown) => {
  for (const [input, want] of rows) test(`${name}: ${JSON.stringify(input)}`, () => assert.deepEqual(of(input as never), want))
}

each('an age rounds down', [
  [0, '0 s'], [-5, '0 s'], [59_999, '59 s'], [MINUTE, '1 min'], [HOUR - 1, '59 min'], [HOUR + 5 * MINUTE, '1 h 05 min'], [4 * DAY + 3 * HOUR, '4 d 03 h'],
], (ms: number) => formatAge(ms))

each('ago', [[0, 'just now'], [1999, 'just now'], [2000, '2 s ago'], [-20_000, 'in 20 s'], [-1000, 'just now']], (ms: number) => formatAgo(NOON - ms, NOON))

each('a running clock', [[42_000, '0:42'], [724_000, '12:04'], [HOUR + 2 * MINUTE + 3000, '1:02:03'], [2 * DAY + HOUR, '2 d 1:00:00'], [-1, '0:00']], (ms: number) => formatElapsed(ms))

each('a duration as rule files write it', [[0, '0s'], [90_000, '1m30s'], [MINUTE, '1m'], [90 * MINUTE, '1h30m'], [36 * HOUR, '1d12h'], [1500, '1s500ms']], (ms: number) => formatDuration(ms))

each('reading a duration', [['5m', 300_000], ['1h30m', 5_400_000], ['90s', 90_000], ['250ms', 250], ['1w', 7 * DAY], ['', null], ['5', null], ['m5', null], ['5m x', null]], (text: string) => parseDuration(text))

each('what a machine took', [[0.4213, '0.42 ms'], [12.4, '12 ms'], [812, '812 ms'], [1250, '1.25 s'], [61_000, '1 min']], (ms: number) => formatTook(ms))

each('one end of a range', [
  ['now', NOON], ['now-6h', NOON - 6 * HOUR], ['now+1h', NOON + HOUR], ['2026-08-21T11:00:00Z', NOON - HOUR], [String((NOON - HOUR) / 1000), NOON - HOUR],
  ['now-', null], ['now-6', null], ['yesterday', null], ['', null],
], (text: string) => parseMoment(text, NOON))

test('a range is in order and not empty', () => {
  assert.deepEqual(parseRange('now-1h', 'now', NOON), { fromMs: NOON - HOUR, toMs: NOON })
  assert.equal(parseRange('now', 'now-1h', NOON), null)
  assert.equal(parseRange('now', 'now', NOON), null)
  assert.equal(parseRange('nonsense', 'now', NOON), null)
})

test('exact and short times', () => {
  assert.equal(formatExact(NOON, 'utc'), '2026-08-21 12:00:00 UTC')
  assert.equal(formatShort(NOON - HOUR, NOON, 'utc'), '11:00:00')
  assert.equal(formatShort(NOON - DAY, NOON, 'utc'), '08-20 12:00')
})

test('nonsense is no time', () => {
  assert.equal(parseTime('yesterday'), null)
  assert.equal(parseTime(null), null)
  assert.equal(parseTime('2026-08-21T12:00:00.000Z'), NOON)
})

each('a note may begin with when it was', [
  ['restarted nginx', { text: 'restarted nginx', atMs: null }],
  ['11:05 restarted nginx', { text: 'restarted nginx', atMs: NOON - 55 * MINUTE }],
  ['11:05:07 - paged Ana', { text: 'paged Ana', atMs: NOON - 55 * MINUTE + 7000 }],
  ['9:30: deploy began', { text: 'deploy began', atMs: NOON - 150 * MINUTE }],
  ['23:50 last night', { text: 'last night', atMs: NOON - 12 * HOUR - 10 * MINUTE }],
  ['25:00 is no time', { text: '25:00 is no time', atMs: null }],
  ['11:05', { text: '11:05', atMs: null }],
  ['10 of 12 nodes', { text: '10 of 12 nodes', atMs: null }],
], (text: string) => parseNote(text, NOON, 'utc'))
