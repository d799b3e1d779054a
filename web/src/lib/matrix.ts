// A Prometheus matrix as a chart wants it: one column of times, one of values per series,
// null where a series has no sample, so that a gap is a gap.

import type { PromSeries } from '../app/types.ts'
import { parseValue } from './number.ts'

export const SERIES_MAX = 40

export interface Columns {
  /** Unix seconds, ascending, on the query's grid. */
  times: number[]
  values: (number | null)[][]
  labels: Record<string, string>[]
  /** How many series were left out. */
  omitted: number
  /** Of a roll-up: values are means of steps so long; these lie around them. */
  band?: { lows: (number | null)[][]; highs: (number | null)[][]; stepS: number }
}

const STEPS_S = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400]

/** A round step that gives at most one point per two pixels: no more than can be seen. */
export function stepFor(rangeMs: number, widthPx: number): number {
  const least = rangeMs / 1000 / Math.max(60, widthPx / 2)
  return STEPS_S.find((step) => step >= least) ?? Math.ceil(least)
}

export function toColumns(series: readonly PromSeries[], fromMs: number, toMs: number, stepS: number): Columns {
  const start = Math.floor(fromMs / 1000)
  const n = Math.floor((Math.floor(toMs / 1000) - start) / stepS) + 1
  const times = Array.from({ length: n }, (_, i) => start + i * stepS)
  const kept = series.slice(0, SERIES_MAX)
  const values = kept.map((one) => {
    const column: (number | null)[] = new Array<number | null>(n).fill(null)
    for (const [at, text] of one.values) {
      const i = Math.round((at - start) / stepS)
      const value = parseValue(text)
      if (i >= 0 && i < n && Number.isFinite(value)) column[i] = value
    }
    return column
  })
  return { times, values, labels: kept.map((one) => one.metric), omitted: series.length - kept.length }
}

export interface Summary { min: number; max: number; maxAt: number; last: number | null; n: number }

export function summarize(times: readonly number[], column: readonly (number | null)[]): Summary | null {
  let summary: Summary | null = null
  column.forEach((value, i) => {
    if (value === null) return
    const at = times[i] ?? 0
    if (!summary) summary = { min: value, max: value, maxAt: at, last: value, n: 0 }
    if (value < summary.min) summary.min = value
    if (value > summary.max) { summary.max = value; summary.maxAt = at }
    summary.last = value
    summary.n++
  })
  return summary
}
