// An answer of alertd's tuner, made of levels.

import type { Setting, Tuning } from '../src/lib/tune.ts'

/** Levels as alertd writes them: a byte, then how many steps in sevens of bits. */
export function encode(levels: readonly number[]): string {
  const bytes: number[] = []
  for (let i = 0; i < levels.length;) {
    let n = 1
    while (i + n < levels.length && levels[i + n] === levels[i]) n++
    bytes.push(levels[i]!)
    let left = n
    for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128)
    bytes.push(left)
    i += n
  }
  return btoa(String.fromCharCode(...bytes))
}

export const STEP = 60_000
export const at = (step: number) => new Date(1_700_000_000_000 + step * STEP).toISOString()

export function answerOf(series: number[][], more: Partial<Tuning> = {}): Tuning {
  const n = series[0]?.length ?? 0
  return {
    rule: { id: 1, version: 1, name: 'Busy', source: 'a.yml', group: 'g', yaml: '', expr: 'load > 2', for_ms: 0, keep_firing_for_ms: 0, interval_ms: STEP, labels: {}, annotations: {}, findings: [] },
    from: at(0), to: at(n), zone: 'UTC', drill: null, warnings: [], ingest_lag_ms: 0, start_ms: 1_700_000_000_000, step_ms: STEP, n_steps: n, first_step: 0,
    choices: [{ way: 'one', words: '', op: '>', now: 2, expr: 'load', places: [{ start: 7, end: 8, base: 2, text: '2' }] }], choice: 1,
    thresholds: [1, 2, 3], for_steps: [0, 1, 2], now: { threshold: 1, for: 0 }, also: { threshold: 1, for: 0 }, suggestion: null, front: [], left_out: { n: 0, found: 0 },
    cells: { alerts: new Array<number>(9).fill(0), true_alerts: new Array<number>(9).fill(0), firing_steps: new Array<number>(9).fill(0), nights: new Array<number>(9).fill(0) },
    incidents: [], delays: [], gaps: [], hysteresis: [], n_series: series.length, n_drawn: series.length, apart: null,
    series: series.map((levels, i) => ({ labels: { i: String(i) }, runs: encode(levels) })), all: null, ...more,
  }
}
export const setting = (j: number, k: number, keepMs = 0): Setting => ({ j, k, keepMs })
