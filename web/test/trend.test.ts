// Figures of a year.

import assert from 'node:assert/strict'
import test from 'node:test'
import { areaShare, medianOf, spanShare, yearShare } from '../src/lib/trend.ts'

test('the middle one, and none of none', () => {
  assert.deepEqual([medianOf([]), medianOf([5]), medianOf([9, 1, 5]), medianOf([4, 1, 3, 2])], [null, 5, 5, 3])
})

test('a scale by factors: equal factors are equal steps, and nothing lies outside', () => {
  const minute = 60_000
  assert.ok(Math.abs((spanShare(10 * minute) - spanShare(minute)) - (spanShare(100 * minute) - spanShare(10 * minute))) < 1e-9)
  assert.deepEqual([spanShare(-5), spanShare(0), spanShare(1e15)], [0, 0, 1])
})

test('a place in the year', () => {
  assert.equal(yearShare(Date.UTC(2026, 0, 1), 2026), 0)
  assert.ok(Math.abs(yearShare(Date.UTC(2026, 6, 2, 12), 2026) - 0.5) < 0.001)
  assert.equal(yearShare(Date.UTC(2027, 5, 1), 2026), 1)
})

test('an area says how many', () => {
  assert.deepEqual([areaShare(1, 1), areaShare(1, 16), areaShare(16, 16)], [0, 0, 1])
  assert.ok(Math.abs(areaShare(4, 16) - 1 / 3) < 1e-9)
})
