// A rule over its past, as the tuner's page needs it: the answer's cells read at any setting, its
// runs made into alerts and bands, contours of what finds an incident. Pure, and quick enough for
// a frame: nothing here is asked of alertd.
//
//     runs   a level a step: how many thresholds are passed, so that threshold j fires where level > j
//     apart  a rule that is evaluated anew for each threshold: runs of its own for each, 1 where it is true
//     cells  a row per threshold, the easiest first; in it a number per `for`

import { formatDuration } from './time.ts'

export interface TuningIncident { source: 'record' | 'drill' | 'hand'; key: string | null; title: string | null; verdict: string | null; begin: string; end: string; counts: boolean; words: string; at: number }
export interface TuningChoice { way: string; words: string; op: string; now: number; expr: string | null; places: { start: number; end: number; base: number; text: string }[] }
export interface Finding { severity: string; id: string; line: number; column: number; end_line: number; end_column: number; text: string; fix: string | null }
export interface Cell { threshold: number; for: number }
export interface Tuning {
  rule: { id: number | null; version: number; name: string; source: string | null; group: string | null; yaml: string; expr: string; for_ms: number; keep_firing_for_ms: number; interval_ms: number; labels: Record<string, string>; annotations: Record<string, string>; findings: Finding[] }
  from: string
  to: string
  zone: string
  /** Over a drill's samples, not what alertd has stored. */
  drill: { name: string; title: string; session: number | null } | null
  /** What of the past could not be read: what is answered is made of the rest. */
  warnings: string[]
  ingest_lag_ms: number
  start_ms: number
  step_ms: number
  n_steps: number
  first_step: number
  choices: TuningChoice[]
  choice: number
  thresholds: number[]
  for_steps: number[]
  now: Cell
  also: Cell
  suggestion: Cell | null
  cells: { alerts: number[]; true_alerts: number[]; firing_steps: number[]; nights: number[] }
  incidents: TuningIncident[]
  delays: number[][]
  /** Of a rule that fires where there is nothing: when nothing at all was collected. */
  gaps: { begin: string; end: string }[]
  hysteresis: number[]
  n_series: number
  /** Of which there are lines; as many as n_series, but of apart, whose alerts have no value of their own. */
  n_drawn: number
  series: { labels: Record<string, string>; runs?: string; least?: string; greatest?: string }[]
  apart: { labels: Record<string, string>; runs: string[] }[] | null
  all: { columns: number; least: string; greatest: string } | null
  /** Settings that nothing beats in alerts about nothing, incidents found and how late. */
  front: Cell[]
  /** The suggestion made anew without each incident: how often it was found all the same. */
  left_out: { n: number; found: number }
}

/** A level and where it begins; the last ends with the steps. */
export interface Runs { starts: Uint32Array; levels: Uint8Array }
export interface Columns { least: Float32Array; greatest: Float32Array }
export interface Model {
  answer: Tuning
  choice: TuningChoice
  runs: Runs[]
  /** By threshold, in place of runs. */
  apart: Runs[][] | null
  /** Of the alerts' series, in the order of their runs. */
  labels: Record<string, string>[]
  /** The loudest ones, in the order of runs. */
  lines: Columns[]
  all: Columns | null
  nColumns: number
  /** Every series has its runs: what they say is what the cells say. */
  complete: boolean
  /** Of the answer's incidents that count, in the order of delays. */
  incidents: TuningIncident[]
  /** What was found out of the runs at a threshold and will be asked again. */
  kept: { ages: Map<number, Uint32Array>; columns: number; above: Map<number, Uint32Array[]> }
}
export interface Setting { j: number; k: number; keepMs: number }

function bytesOf(base64: string): Uint8Array {
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

export function decodeRuns(base64: string): Runs {
  const bytes = bytesOf(base64)
  const starts = new Uint32Array(bytes.length / 2 | 0)
  const levels = new Uint8Array(bytes.length / 2 | 0)
  let n = 0
  let step = 0
  for (let at = 0; at < bytes.length; n++) {
    levels[n] = bytes[at++]!
    starts[n] = step
    let shift = 1
    for (;;) {
      const byte = bytes[at++]!
      step += (byte & 0x7f) * shift
      shift *= 128
      if (byte < 0x80) break
    }
  }
  return { starts: starts.slice(0, n), levels: levels.slice(0, n) }
}

export function decodeFloats(base64: string): Float32Array {
  return new Float32Array(bytesOf(base64).buffer)
}

export function modelOf(answer: Tuning): Model {
  const columns = (one: { least?: string; greatest?: string }): Columns[] => (one.least && one.greatest ? [{ least: decodeFloats(one.least), greatest: decodeFloats(one.greatest) }] : [])
  const counted = answer.incidents.filter((one) => one.at >= 0).sort((a, b) => a.at - b.at)
  const own = answer.series.flatMap((one) => (one.runs === undefined ? [] : [{ labels: one.labels, runs: one.runs }]))
  return {
    answer,
    choice: answer.choices[answer.choice - 1]!,
    runs: own.map((one) => decodeRuns(one.runs)),
    apart: answer.apart && answer.thresholds.map((_, j) => answer.apart!.map((one) => decodeRuns(one.runs[j]!))),
    labels: (answer.apart ?? own).map((one) => one.labels),
    lines: answer.series.flatMap(columns),
    all: answer.all ? columns(answer.all)[0] ?? null : null,
    nColumns: answer.all?.columns ?? 0,
    complete: answer.apart !== null || own.length === answer.n_series,
    incidents: counted,
    kept: { ages: new Map(), columns: 0, above: new Map() },
  }
}

export const cellAt = (answer: Tuning, j: number, k: number): number => j * answer.for_steps.length + k
export const timeAt = (answer: Tuning, step: number): number => answer.start_ms + step * answer.step_ms
export const forMs = (answer: Tuning, k: number): number => (answer.for_steps[k] ?? 0) * answer.step_ms

/** The threshold of the grid next to a value. */
export function nearestThreshold(answer: Tuning, value: number): number {
  let best = 0
  answer.thresholds.forEach((one, j) => { if (Math.abs(one - value) < Math.abs(answer.thresholds[best]! - value)) best = j })
  return best
}

/** Nothing at all was collected at this step. */
export const isBlind = (answer: Tuning, step: number): boolean => answer.gaps.some((one) => timeAt(answer, step) >= Date.parse(one.begin) && timeAt(answer, step) < Date.parse(one.end))

// --- alert by alert ----------------------------------------------------------------------

export interface Alert { series: number; active: number; fired: number; resolved: number; found: boolean }

/** The runs above threshold j of one series: where each begins and ends, both steps within. */
function above({ starts, levels }: Runs, nSteps: number, j: number): Uint32Array {
  const pairs: number[] = []
  let begin = -1
  for (let i = 0; i < levels.length; i++) {
    if (levels[i]! > j) {
      if (begin < 0) begin = starts[i]!
    } else if (begin >= 0) {
      pairs.push(begin, starts[i]! - 1)
      begin = -1
    }
  }
  if (begin >= 0) pairs.push(begin, nSteps - 1)
  return Uint32Array.from(pairs)
}

const ABOVE_KEPT = 4 // thresholds: where the hand is and just was

function runsAbove(model: Model, j: number): Uint32Array[] {
  const kept = model.kept.above
  const known = kept.get(j)
  if (known) return known
  if (kept.size >= ABOVE_KEPT) kept.delete(kept.keys().next().value!)
  const made = model.apart ? model.apart[j]!.map((one) => above(one, model.answer.n_steps, 0)) : model.runs.map((one) => above(one, model.answer.n_steps, j))
  kept.set(j, made)
  return made
}

/** What one series would have fired; `keep` steps bridge what would end it, as keep_firing_for does. */
function eachAlert(pairs: Uint32Array, nSteps: number, held: number, keep: number, visit: (active: number, fired: number, resolved: number) => void): void {
  let active = -1
  let fired = -1
  let over = -1 // the first step without it
  for (let i = 0; i < pairs.length; i += 2) {
    const begin = pairs[i]!
    const last = pairs[i + 1]!
    // Still kept when the next run begins: it goes on, without waiting again.
    if (fired >= 0 && begin - over > keep) {
      visit(active, fired, Math.min(nSteps, over + keep))
      fired = -1
    }
    if (fired < 0 && last - begin >= held) {
      active = begin
      fired = begin + held
    }
    if (fired >= 0) over = last + 1
  }
  if (fired >= 0) visit(active, fired, Math.min(nSteps, over + keep))
}

const keepSteps = (answer: Tuning, keepMs: number): number => Math.ceil(keepMs / answer.step_ms)

/** In steps, both within. */
function windowsOf(model: Model): [number, number][] {
  const { start_ms, step_ms, n_steps } = model.answer
  return model.incidents.map((one) => {
    const begin = Math.max(0, Math.ceil((Date.parse(one.begin) - start_ms) / step_ms))
    return [begin, Math.max(begin, Math.min(n_steps - 1, Math.floor((Date.parse(one.end) - start_ms) / step_ms)))]
  })
}

/** Of the counted time, by when they fire. */
export function alertsOf(model: Model, setting: Setting): Alert[] {
  const { answer } = model
  const windows = windowsOf(model)
  const alerts: Alert[] = []
  const held = answer.for_steps[setting.k] ?? 0
  runsAbove(model, setting.j).forEach((pairs, series) => eachAlert(pairs, answer.n_steps, held, keepSteps(answer, setting.keepMs), (active, fired, resolved) => {
    if (fired < answer.first_step) return
    alerts.push({ series, active, fired, resolved, found: windows.some(([begin, end]) => fired <= end && resolved > begin) })
  }))
  return alerts.sort((a, b) => a.fired - b.fired || a.series - b.series)
}

export const PENDING = 1
export const FIRING = 2

/** How long the longest run of any series above threshold j has lasted at the end of each of n
 *  columns of the counted time, in steps and one more; 0: there is none. What a column shows at
 *  any `for` is one comparison away, so that a drag goes through no runs. */
export function agesOf(model: Model, j: number, n: number): Uint32Array {
  const { kept, answer } = model
  if (kept.columns !== n) {
    kept.ages.clear()
    kept.columns = n
  }
  const known = kept.ages.get(j)
  if (known) return known
  const first = answer.first_step
  const nSteps = answer.n_steps - first
  const columnOf = (step: number) => Math.floor(((step - first) * n) / nSteps)
  const lastOf = Uint32Array.from({ length: n }, (_, c) => first + Math.ceil(((c + 1) * nSteps) / n) - 1)
  const ages = new Uint32Array(n)
  const passed = model.apart ? 0 : j
  for (const { starts, levels } of model.apart?.[j] ?? model.runs) {
    for (let i = 0; i < levels.length; i++) {
      if (levels[i]! <= passed) continue
      const begin = starts[i]!
      while (i + 1 < levels.length && levels[i + 1]! > passed) i++
      const end = (i + 1 < levels.length ? starts[i + 1]! : answer.n_steps) - 1
      if (end < first) continue
      const to = columnOf(end)
      for (let c = columnOf(Math.max(begin, first)); c <= to; c++) {
        const age = Math.min(end, lastOf[c]!) - begin + 1
        if (ages[c]! < age) ages[c] = age
      }
    }
  }
  kept.ages.set(j, ages)
  return ages
}

/** What each of n columns of the counted time shows: nothing, pending, firing. */
export function bandsOf(model: Model, setting: Setting, n: number): Uint8Array {
  const { answer } = model
  const bands = new Uint8Array(n)
  const held = answer.for_steps[setting.k] ?? 0
  const ages = agesOf(model, setting.j, n)
  for (let c = 0; c < n; c++) bands[c] = ages[c]! === 0 ? 0 : ages[c]! > held ? FIRING : PENDING
  const keep = keepSteps(answer, setting.keepMs)
  if (keep === 0) return bands
  const first = answer.first_step
  const columnOf = (step: number) => Math.floor(((step - first) * n) / (answer.n_steps - first))
  for (const pairs of runsAbove(model, setting.j)) {
    eachAlert(pairs, answer.n_steps, held, keep, (_, fired, resolved) => {
      if (resolved > first) bands.fill(FIRING, columnOf(Math.max(fired, first)), columnOf(resolved - 1) + 1)
    })
  }
  return bands
}

/** Alerts that alertd listed, where the browser has not every series: of one setting. */
export interface ToldAlerts { setting: Setting; alerts: Alert[] }

/** The same with what alertd listed of this setting. */
export function withTold(bands: Uint8Array, { answer }: Model, { alerts }: ToldAlerts): Uint8Array {
  const n = bands.length
  const first = answer.first_step
  const columnOf = (step: number) => Math.min(n - 1, Math.max(0, Math.floor(((step - first) * n) / (answer.n_steps - first))))
  for (const one of alerts) if (one.resolved > first) bands.fill(FIRING, columnOf(one.fired), columnOf(one.resolved - 1) + 1)
  return bands
}

export const sameSetting = (a: Setting, b: Setting): boolean => a.j === b.j && a.k === b.k && a.keepMs === b.keepMs

// --- one setting in numbers ---------------------------------------------------------------

export interface Readout {
  alerts: number
  perWeek: number
  aboutNone: number
  nights: number
  firingMs: number
  found: number
  of: number
  /** What share of all such would be found, 95 times of 100. */
  low: number
  high: number
  /** Of those found. */
  medianMs: number | null
  worstMs: number | null
  missed: number[]
  /** By incident; -1: missed. In steps. */
  delays: number[]
}

/** E. B. Wilson's interval (1927). */
export function wilson(hits: number, n: number): [number, number] {
  if (n === 0) return [0, 1]
  const z = 1.959964
  const p = hits / n
  const middle = (p + (z * z) / (2 * n)) / (1 + (z * z) / n)
  const wide = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))
  return [Math.max(0, middle - wide), Math.min(1, middle + wide)]
}

interface Counts { alerts: number; trues: number; nights: number; firing: number; delays: number[] }

function fromCells(model: Model, { j, k }: Setting): Counts {
  const { cells } = model.answer
  const at = cellAt(model.answer, j, k)
  return { alerts: cells.alerts[at]!, trues: cells.true_alerts[at]!, nights: cells.nights[at]!, firing: cells.firing_steps[at]!, delays: model.answer.delays.map((one) => one[at]!) }
}

/** With keep_firing_for: the cells do not know it. isNight: of an instant. */
function fromRuns(model: Model, setting: Setting, isNight: (atMs: number) => boolean): Counts {
  const { answer } = model
  const windows = windowsOf(model)
  const counts: Counts = { alerts: 0, trues: 0, nights: 0, firing: 0, delays: windows.map(() => -1) }
  const held = answer.for_steps[setting.k] ?? 0
  for (const pairs of runsAbove(model, setting.j)) {
    eachAlert(pairs, answer.n_steps, held, keepSteps(answer, setting.keepMs), (_, fired, resolved) => {
      let found = false
      windows.forEach(([begin, end], i) => {
        if (fired > end || resolved <= begin) return
        found = true
        const delay = Math.max(0, fired - begin)
        if (counts.delays[i]! < 0 || delay < counts.delays[i]!) counts.delays[i] = delay
      })
      counts.firing += Math.max(0, resolved - Math.max(fired, answer.first_step))
      if (fired < answer.first_step) return
      counts.alerts++
      counts.trues += found ? 1 : 0
      counts.nights += isNight(timeAt(answer, fired)) ? 1 : 0
    })
  }
  return counts
}

export function readout(model: Model, setting: Setting, isNight: (atMs: number) => boolean): Readout {
  const { answer } = model
  const counts = setting.keepMs > 0 && model.complete ? fromRuns(model, setting, isNight) : fromCells(model, setting)
  const delays = counts.delays.filter((one) => one >= 0).sort((a, b) => a - b)
  const weeks = (Date.parse(answer.to) - Date.parse(answer.from)) / (7 * 86_400_000)
  const [low, high] = wilson(delays.length, counts.delays.length)
  const ms = (steps: number | undefined) => (steps === undefined ? null : steps * answer.step_ms)
  return {
    alerts: counts.alerts, perWeek: counts.alerts / weeks, aboutNone: counts.alerts - counts.trues, nights: counts.nights,
    firingMs: counts.firing * answer.step_ms, found: delays.length, of: counts.delays.length, low, high,
    medianMs: ms(delays[Math.floor((delays.length - 1) / 2)]), worstMs: ms(delays.at(-1)),
    missed: counts.delays.flatMap((one, i) => (one < 0 ? [i] : [])), delays: counts.delays,
  }
}

// --- words --------------------------------------------------------------------------------

export function thresholdWords(model: Model, j: number): string {
  const value = String(model.answer.thresholds[j] ?? '')
  if (model.choice.way === 'presence') return ''
  return model.choice.way === 'one' || model.choice.way === 'again' ? `${model.choice.op} ${value}` : `x ${value}`
}

/** "> 0.8 for 5m" */
export function settingWords(model: Model, { j, k }: { j: number; k: number }): string {
  return `${thresholdWords(model, j)} for ${formatDuration(forMs(model.answer, k))}`.trim()
}

/** What a setting changes, beside another: "528 -> 15 alerts, 513 fewer about nothing, ...". */
export function difference(before: Readout, after: Readout): string {
  const parts = [`${before.alerts.toLocaleString('en')} \u2192 ${after.alerts.toLocaleString('en')} alerts`]
  if (before.of > 0) {
    parts.push(`${before.aboutNone.toLocaleString('en')} \u2192 ${after.aboutNone.toLocaleString('en')} about nothing`)
    const lost = before.delays.filter((one, i) => one >= 0 && after.delays[i]! < 0).length
    const gained = after.delays.filter((one, i) => one >= 0 && before.delays[i]! < 0).length
    parts.push(lost ? `loses ${lost} ${lost === 1 ? 'incident' : 'incidents'}` : 'loses no incident')
    if (gained) parts.push(`finds ${gained} more`)
  }
  return parts.join(', ')
}

/** The rule's expression with another number in its places, which are counted in bytes. */
export function exprWith(expr: string, choice: TuningChoice, threshold: number): string {
  const bytes = new TextEncoder().encode(expr)
  const text = new TextDecoder()
  let at = 0
  let out = ''
  for (const place of choice.places) {
    out += text.decode(bytes.slice(at, place.start))
    out += choice.way === 'vectors' ? `${threshold} * (${text.decode(bytes.slice(place.start, place.end))})` : String(choice.way === 'together' ? Number((threshold * place.base).toPrecision(12)) : threshold)
    at = place.end
  }
  return out + text.decode(bytes.slice(at))
}

// --- the heat map -------------------------------------------------------------------------

/** Lines around the cells for which `inside` holds, in cells: [x1, y1, x2, y2], x by `for`, y by threshold. */
export function contour(nRows: number, nColumns: number, inside: (j: number, k: number) => boolean): [number, number, number, number][] {
  const lines: [number, number, number, number][] = []
  const at = (j: number, k: number) => j >= 0 && k >= 0 && j < nRows && k < nColumns && inside(j, k)
  for (let j = 0; j <= nRows; j++) {
    for (let k = 0; k <= nColumns; k++) {
      if (k < nColumns && at(j - 1, k) !== at(j, k)) lines.push([k, j, k + 1, j])
      if (j < nRows && at(j, k - 1) !== at(j, k)) lines.push([k, j, k, j + 1])
    }
  }
  return lines
}

/** 0 to 1, in steps that the eye can tell apart: alerts a week, their logarithm. */
export function heat(perWeek: number, mostPerWeek: number): number {
  if (perWeek <= 0) return 0
  return Math.min(1, 0.08 + (0.92 * Math.log1p(perWeek)) / Math.log1p(Math.max(mostPerWeek, 1)))
}

// --- the address --------------------------------------------------------------------------

export interface Window { fromMs: number; toMs: number }

/** "1794567240-1794570000,..." in seconds. */
export function readWindows(text: string): Window[] {
  return text.split(',').flatMap((one) => {
    const found = /^(\d{6,12})-(\d{6,12})$/.exec(one)
    return found && Number(found[1]) <= Number(found[2]) ? [{ fromMs: Number(found[1]) * 1000, toMs: Number(found[2]) * 1000 }] : []
  })
}

export const writeWindows = (windows: readonly Window[]): string => windows.map((one) => `${Math.round(one.fromMs / 1000)}-${Math.round(one.toMs / 1000)}`).join(',')
