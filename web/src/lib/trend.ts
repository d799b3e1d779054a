// What incidents of a year have in common, as figures one can trust: each with how many there
// are of it, the middle one and not the mean, and a scale on which minutes and days both fit.

import { DAY, HOUR, MINUTE, SECOND } from './time.ts'

/** The middle one, of an even number the upper; null: there is none. */
export function medianOf(values: readonly number[]): number | null {
  const inOrder = [...values].sort((a, b) => a - b)
  return inOrder[Math.floor(inOrder.length / 2)] ?? null
}

/** Marks of a scale that grows by factors. */
export const SPANS = [
  { ms: 10 * SECOND, words: '10 s' }, { ms: MINUTE, words: '1 min' }, { ms: 10 * MINUTE, words: '10 min' },
  { ms: HOUR, words: '1 h' }, { ms: 6 * HOUR, words: '6 h' }, { ms: DAY, words: '1 d' }, { ms: 7 * DAY, words: '1 w' },
] as const

const LEAST_MS = 5 * SECOND
const MOST_MS = 14 * DAY

/** 0 at five seconds and less, 1 at two weeks and more, by the logarithm. */
export function spanShare(ms: number): number {
  const clamped = Math.min(MOST_MS, Math.max(LEAST_MS, ms))
  return Math.log(clamped / LEAST_MS) / Math.log(MOST_MS / LEAST_MS)
}

/** How wide a circle is whose area says how many: 1 of the most, 0 of one among many. */
export function areaShare(n: number, most: number): number {
  return most <= 1 ? 0 : (Math.sqrt(n) - 1) / (Math.sqrt(most) - 1)
}

/** Where in its year: 0 on the first of January, 1 at the end. */
export function yearShare(atMs: number, year: number): number {
  const [from, to] = [Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1)]
  return Math.min(1, Math.max(0, (atMs - from) / (to - from)))
}
