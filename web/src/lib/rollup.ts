// Long ranges: which questions a roll-up answers, by what steps, and its columns: the mean, and
// the least and greatest around it. Pure.

import type { RollupSeries } from '../app/types.ts'
import { type Columns, SERIES_MAX, stepFor } from './matrix.ts'
import { parseValue } from './number.ts'
import { DAY } from './time.ts'

/** From here on every sample is more than can be seen. */
export const ROLLUP_FROM_MS = 3 * DAY

const SELECTOR = /^\s*(?:[a-zA-Z_:][\w:]*)?\s*(?:\{(?:[^"'`{}]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)*\})?\s*$/s

/** A metric's name, matchers, or both: series as they are, nothing computed. */
export function isBareSelector(expr: string): boolean {
  return expr.trim() !== '' && SELECTOR.test(expr) && !/^\s*(?:inf|nan)\s*$/i.test(expr)
}

/** A step that fits the screen, of whole five minutes. */
export function rollupStep(rangeMs: number, widthPx: number): number {
  const least = stepFor(rangeMs, widthPx)
  return least <= 86_400 ? Math.max(300, least) : Math.ceil(least / 86_400) * 86_400
}

/** Steps within the range, each drawn where its middle is. */
export function toBands(series: readonly RollupSeries[], fromMs: number, toMs: number, stepS: number): Columns {
  const start = Math.floor(fromMs / 1000 / stepS) * stepS
  const n = Math.max(1, Math.ceil((toMs / 1000 - start) / stepS))
  const kept = series.slice(0, SERIES_MAX)
  const empty = () => kept.map(() => new Array<number | null>(n).fill(null))
  const [values, lows, highs] = [empty(), empty(), empty()]
  kept.forEach((one, s) => {
    for (const [at, least, most, sum, count] of one.values) {
      const i = Math.round((at - start) / stepS)
      const mean = parseValue(sum) / count
      if (i < 0 || i >= n || !Number.isFinite(mean)) continue
      values[s]![i] = mean
      lows[s]![i] = parseValue(least)
      highs[s]![i] = parseValue(most)
    }
  })
  return {
    times: Array.from({ length: n }, (_, i) => start + (i + 0.5) * stepS), values, labels: kept.map((one) => one.metric),
    omitted: series.length - kept.length, band: { lows, highs, stepS },
  }
}

function span(seconds: number): string {
  if (seconds % 86_400 === 0) return seconds === 86_400 ? 'day' : `${seconds / 86_400} days`
  if (seconds % 3600 === 0) return seconds === 3600 ? 'hour' : `${seconds / 3600} h`
  return `${seconds / 60} min`
}

/** "1-h roll-up, a point every 6 h: the line is the mean, the band is min..max". */
export function rollupWords(resolutionS: number, stepS: number): string {
  return `${resolutionS === 3600 ? '1-h' : '5-min'} roll-up, a point every ${span(stepS)}: the line is the mean, the band is min..max`
}
