// Wall clocks of zones over clock changes, spans on an axis, policies in words.

import assert from 'node:assert/strict'
import test from 'node:test'
import { daysOf, formatSpan, formatWhen, instantOf, nightsOf, place, policyWords, readWall, wallOf, wallText } from '../src/lib/roster.ts'

const BERLIN = 'Europe/Berlin'
const at = (text: string) => Date.parse(text)
const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())

for (const [text, zone, want] of [
  ['2026-01-05T09:00', BERLIN, '2026-01-05T08:00:00.000Z'],
  ['2026-07-05T09:00', BERLIN, '2026-07-05T07:00:00.000Z'],
  ['2026-03-29T02:30', BERLIN, '2026-03-29T01:00:00.000Z'], // skipped: the instant behind the gap
  ['2026-10-25T02:30', BERLIN, '2026-10-25T00:30:00.000Z'], // twice: the first
  ['2026-10-25T03:00', BERLIN, '2026-10-25T02:00:00.000Z'],
  ['2026-11-01T01:30', 'America/New_York', '2026-11-01T05:30:00.000Z'],
  ['2026-01-05T09:00', 'Asia/Kathmandu', '2026-01-05T03:15:00.000Z'],
  ['2026-01-05T09:00', 'Mars/Base', '2026-01-05T09:00:00.000Z'],
  ['yesterday', BERLIN, null],
] as const) test(`${text} in ${zone}`, () => assert.equal(iso(readWall(text, zone)), want))

test('there and back, every hour of the nights clocks are changed', () => {
  for (const day of ['2026-03-29', '2026-10-25']) {
    for (let hour = -4; hour < 28; hour++) {
      const ms = at(`${day}T00:00:00Z`) + hour * 3_600_000
      const wall = wallOf(ms, BERLIN)
      const back = instantOf(wall, BERLIN)
      assert.ok(back === ms || (back === ms - 3_600_000 && wallText(back, BERLIN) === wallText(ms, BERLIN)), `${day} ${hour}`)
    }
  }
})

test('days have the hours they have', () => {
  const hours = (from: string) => daysOf(at(from), 3, BERLIN).map((day) => (day.toMs - day.fromMs) / 3_600_000)
  assert.deepEqual(hours('2026-03-28T12:00:00Z'), [24, 23, 24])
  assert.deepEqual(hours('2026-10-24T12:00:00Z'), [24, 25, 24])
  assert.deepEqual(daysOf(at('2026-01-31T12:00:00Z'), 2, BERLIN).map((day) => day.name), ['Sat 31', 'Sun 1'])
})

test('a night on which clocks go forward is an hour shorter', () => {
  const [first] = nightsOf(daysOf(at('2026-03-29T12:00:00Z'), 1, BERLIN), BERLIN)
  assert.equal(((first?.toMs ?? 0) - (first?.fromMs ?? 0)) / 3_600_000, 5)
})

test('words for instants and spans', () => {
  const now = at('2026-11-27T00:00:00Z')
  assert.equal(formatWhen(at('2026-11-30T08:00:00Z'), now, BERLIN), 'Mon 30 Nov 09:00')
  assert.equal(formatWhen(at('2027-01-04T08:00:00Z'), now, BERLIN), 'Mon 4 Jan 2027 09:00')
  assert.equal(formatSpan(at('2026-11-30T08:00:00Z'), at('2026-11-30T16:00:00Z'), now, BERLIN), 'Mon 30 Nov 09:00 – 17:00')
  assert.equal(formatSpan(at('2026-11-30T08:00:00Z'), at('2026-12-01T08:00:00Z'), now, BERLIN), 'Mon 30 Nov 09:00 – Tue 1 Dec 09:00')
})

test('spans at the same time get rows of their own; what lies outside is cut', () => {
  const span = (from: number, to: number) => ({ from: new Date(from).toISOString(), to: new Date(to).toISOString() })
  const { placed, rows } = place([span(-50, 50), span(0, 20), span(50, 300), span(200, 300)], 0, 100)
  assert.equal(rows, 2)
  assert.deepEqual(placed.map((one) => [one.row, one.left, one.width]), [[0, 0, 50], [1, 0, 20], [0, 50, 50]])
})

test('a policy is read as steps', () => {
  const lines = policyWords({
    steps: [{ delay_ms: 300_000, targets: [{ person: 'ana' }] }, { delay_ms: 600_000, targets: [{ schedule: 'web' }, { person: 'bob' }, { receiver: 'team' }] }],
    repeat: 1, fallback: [{ person: 'dan' }],
  })
  assert.deepEqual(lines.map(({ when, what }) => ({ when, what })), [
    { when: 'At once', what: 'page ana' },
    { when: 'After 5 min', what: 'page who is on call in web, bob and receiver team' },
    { when: 'After 15 min', what: 'begin again, once' },
    { when: 'After 30 min', what: 'page dan' },
  ])
  assert.deepEqual(lines.map((line) => line.targets?.length), [1, 3, undefined, 1])
})
