// Moments and stretches of an incident on the axis of its graphs.

import assert from 'node:assert/strict'
import test from 'node:test'
import { barOf, placeMarks, shareOf } from '../src/lib/axis.ts'

const SPAN = { fromMs: 1000, toMs: 2000 }

test('a moment is a share of the span, or outside of it', () => {
  assert.deepEqual([1000, 1250, 2000, 999, 2001].map((at) => shareOf(at, SPAN)), [0, 0.25, 1, null, null])
})

test('a stretch is cut at both edges, and goes on while it has no end', () => {
  assert.deepEqual(barOf(500, 1500, SPAN), { from: 0, to: 0.5 })
  assert.deepEqual(barOf(1500, 9999, SPAN), { from: 0.5, to: 1 })
  assert.deepEqual(barOf(1500, null, SPAN), { from: 0.5, to: 1 })
  assert.equal(barOf(0, 900, SPAN), null)
  assert.equal(barOf(2100, null, SPAN), null)
  assert.equal(barOf(1600, 1500, SPAN), null, 'it ended before it began')
})

const placed = (marks: [number, string][], width: number) =>
  placeMarks(marks.map(([atMs, words]) => ({ atMs, words })), SPAN, width).map(({ mark, row, toLeft }) => `${mark.words} ${row}${toLeft ? ' left' : ''}`)

test('words of marks that are close stand one below the other', () => {
  assert.deepEqual(placed([[1100, 'impact'], [1110, 'detected'], [1120, 'paged'], [1900, 'ack']], 600), ['impact 0', 'detected 1', 'paged 2', 'ack 0'])
  assert.deepEqual(placed([[1100, 'impact'], [1500, 'ack']], 600), ['impact 0', 'ack 0'])
})

test('words near the right edge stand left of their line, unless there is no room either', () => {
  assert.deepEqual(placed([[1990, 'mitigated']], 600), ['mitigated 0 left'])
  assert.deepEqual(placed([[1100, 'impact, detected, paged']], 100), ['impact, detected, paged 0'])
  assert.deepEqual(placed([[1700, 'impact, detected, paged']], 100), ['impact, detected, paged 0 left'], 'where there is more of it')
})

test('what is outside is not placed', () => assert.deepEqual(placed([[500, 'trigger'], [1500, 'ack']], 600), ['ack 0']))
