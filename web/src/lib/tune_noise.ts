// Why a rule is noisy, in sentences: what its alerts have in common, and what each of these things
// suggests. Out of the alerts of one setting; pure.
//
//     blind    while nothing at all was collected  the monitoring, not the rule
//     short    over before anybody has looked      a longer `for`
//     again    back within the hour                keep_firing_for
//     daily    at the same hours                   a silence that recurs
//     alone    of a few of many series             look there, or leave it out

import { count } from './number.ts'
import { formatDuration, HOUR, MINUTE, parts, type Zone } from './time.ts'
import { type Alert, alertsOf, forMs, isBlind, type Model, readout, type Setting, timeAt } from './tune.ts'

export interface Reason {
  kind: 'blind' | 'short' | 'again' | 'daily' | 'alone'
  words: string
  /** What to try, and what it would come to. */
  setting?: Setting
  change?: string
}

const FEW = 4 // alerts that have nothing to say
const SHORT_MS = 5 * MINUTE
const KEEPS_MS = [5, 10, 15, 30, 60].map((one) => one * MINUTE)
const percent = (n: number, of: number) => `${Math.round((100 * n) / of)} %`

const loses = (model: Model, before: Setting, after: Setting): boolean => {
  const [was, is] = [readout(model, before, () => false), readout(model, after, () => false)]
  return was.delays.some((one, i) => one >= 0 && is.delays[i]! < 0)
}

/** Nothing to choose by: these are there at every setting, and an alert on the monitoring itself says it better. */
function blind(model: Model, alerts: Alert[]): Reason | null {
  const n = alerts.filter((one) => isBlind(model.answer, one.fired)).length
  if (n === 0) return null
  return { kind: 'blind', words: `${percent(n, alerts.length)} of them (${n.toLocaleString('en')} of ${alerts.length.toLocaleString('en')}) fired while nothing at all was collected: the monitoring was out, and nobody knows of what it watches.` }
}

function short(model: Model, own: Setting, alerts: Alert[]): Reason | null {
  const { answer } = model
  const lengths = alerts.map((one) => (one.resolved - one.fired) * answer.step_ms).sort((a, b) => a - b)
  const n = lengths.filter((one) => one <= SHORT_MS).length
  if (n < alerts.length / 3) return null
  const words = `${percent(n, alerts.length)} of them (${n.toLocaleString('en')} of ${alerts.length.toLocaleString('en')}) were over within 5 min: before anybody could look.`
  // The first `for` that leaves half of them, and still finds what is found now.
  for (let k = own.k + 1; k < answer.for_steps.length; k++) {
    const after = { ...own, k }
    const then = readout(model, after, () => false).alerts
    if (then > alerts.length / 2) continue
    return loses(model, own, after) ? { kind: 'short', words } : { kind: 'short', words, setting: after, change: `Held for ${formatDuration(forMs(answer, k))} it would be ${count(then, 'alert')}` }
  }
  return { kind: 'short', words }
}

function again(model: Model, own: Setting, alerts: Alert[]): Reason | null {
  const { answer } = model
  const over = new Map<number, number>()
  let n = 0
  for (const one of alerts) {
    const before = over.get(one.series)
    if (before !== undefined && (one.fired - before) * answer.step_ms <= HOUR) n++
    over.set(one.series, one.resolved)
  }
  if (n < alerts.length / 4) return null
  const words = `${percent(n, alerts.length)} began again within an hour of being over: it flaps.`
  for (const keepMs of KEEPS_MS) {
    if (keepMs <= own.keepMs) continue
    const after = { ...own, keepMs }
    const then = readout(model, after, () => false).alerts
    if (then <= alerts.length * 0.7) return { kind: 'again', words, setting: after, change: `Kept firing for ${formatDuration(keepMs)} after it is over it would be ${count(then, 'alert')}` }
  }
  return { kind: 'again', words: `${words} Keeping it firing for a while would not help much.` }
}

const clock = (hour: number) => `${String(hour % 24).padStart(2, '0')}:00`

/** The hours of the day in which more happens than in all others. */
function daily(model: Model, alerts: Alert[], zone: Zone): Reason | null {
  const { answer } = model
  const days = ((answer.n_steps - answer.first_step) * answer.step_ms) / (24 * HOUR)
  if (days < 3) return null
  const hours = new Array<number>(24).fill(0)
  const seen = Array.from({ length: 24 }, () => new Set<number>())
  for (const one of alerts) {
    const at = timeAt(answer, one.fired)
    const { hour, day } = parts(at, zone)
    hours[hour]!++
    seen[hour]!.add(day)
  }
  let best: { from: number; wide: number; n: number } | null = null
  for (const wide of [1, 2, 3]) {
    for (let from = 0; from < 24; from++) {
      const within = Array.from({ length: wide }, (_, i) => (from + i) % 24)
      const n = within.reduce((sum, hour) => sum + hours[hour]!, 0)
      const ofDays = new Set(within.flatMap((hour) => [...seen[hour]!])).size
      // Four times what hours as any other would have, and on most days.
      if (n < alerts.length / 4 || n < (4 * alerts.length * wide) / 24 || ofDays < days / 2) continue
      if (!best || n > best.n * 1.3) best = { from, wide, n }
    }
  }
  if (!best) return null
  return { kind: 'daily', words: `${percent(best.n, alerts.length)} begin between ${clock(best.from)} and ${clock(best.from + best.wide)}, on most days: something that is done then.` }
}

/** A label's value that has far more than its share. */
function alone(model: Model, alerts: Alert[]): Reason | null {
  const { labels: series } = model
  if (series.length < 3) return null
  const counts = new Map<string, { name: string; value: string; alerts: number; series: number }>()
  const bySeries = new Map<number, number>()
  for (const one of alerts) bySeries.set(one.series, (bySeries.get(one.series) ?? 0) + 1)
  series.forEach((labels, i) => Object.entries(labels).forEach(([name, value]) => {
    const key = `${name}\u0000${value}`
    const at = counts.get(key) ?? { name, value, alerts: 0, series: 0 }
    at.alerts += bySeries.get(i) ?? 0
    at.series++
    counts.set(key, at)
  }))
  const worst = [...counts.values()].filter((one) => one.alerts >= alerts.length * 0.35 && one.alerts / alerts.length > (2 * one.series) / series.length).sort((a, b) => b.alerts / b.series - a.alerts / a.series || b.alerts - a.alerts)[0]
  if (!worst) return null
  return { kind: 'alone', words: `${percent(worst.alerts, alerts.length)} are of ${worst.name}="${worst.value}", ${worst.series === 1 ? 'one' : worst.series} of ${series.length} series.` }
}

/** Null: that can't be said, for not every series is here. */
export function whyNoisy(model: Model, own: Setting, zone: Zone): { alerts: number; reasons: Reason[] } | null {
  if (!model.complete) return null
  const alerts = alertsOf(model, own)
  const outage = blind(model, alerts)
  if (alerts.length < FEW) return { alerts: alerts.length, reasons: outage ? [outage] : [] }
  return { alerts: alerts.length, reasons: [outage, short(model, own, alerts), again(model, own, alerts), alone(model, alerts), daily(model, alerts, zone)].filter((one): one is Reason => one !== null) }
}

export interface Span { from: number; to: number; alerts: number; found: boolean }

/** The times at which any series would have fired, in steps: what the bands show, to be read. */
export function spansOf(alerts: readonly Alert[]): Span[] {
  const spans: Span[] = []
  for (const one of alerts) { // by when they fire
    const last = spans.at(-1)
    if (last && one.fired <= last.to) {
      last.to = Math.max(last.to, one.resolved)
      last.alerts++
      last.found ||= one.found
    } else spans.push({ from: one.fired, to: one.resolved, alerts: 1, found: one.found })
  }
  return spans
}
