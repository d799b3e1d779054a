// Does anything need me? The wall's one answer, from the overview and how old it is.
//
// (1) Never green when stale: an old answer is not a good answer. After AMBER_MS without a
//     word from alertd the colour is amber, after GREY_MS the page says it does not know.
// (2) Green needs evidence: rules that are evaluated, data that arrives, pages that leave.
// (3) What people must do comes before what machines report.

import type { Overview } from '../app/types.ts'
import { count } from './number.ts'
import { formatAge, parseTime } from './time.ts'

export const AMBER_MS = 20_000
export const GREY_MS = 60_000

export type Tone = 'bad' | 'warn' | 'ok' | 'unknown'
export type Pulse = 'live' | 'late' | 'lost'

/** How far to trust what is on the page. heardMs: when alertd was last heard; 0 for never. */
export function pulseOf(heardMs: number, nowMs: number): Pulse {
  const age = nowMs - heardMs
  if (heardMs === 0 || age > GREY_MS) return 'lost'
  return age > AMBER_MS ? 'late' : 'live'
}

export interface Verdict {
  tone: Tone
  headline: string
  /** What else is worth a sentence, most important first. */
  reasons: string[]
}

const STALE_EVALUATION_MS = 5 * 60_000
const STUCK_PAGE_MS = 2 * 60_000

/** Receivers that reach a person who is not looking: the dashboard itself is none. */
export function reached(overview: Overview): Overview['told'] {
  return overview.told.filter((told) => told.kind !== 'dashboard')
}

/** What quietly keeps pages from being right or from leaving. */
export function troubles(overview: Overview): string[] {
  const nowMs = parseTime(overview.now) ?? 0
  const found: string[] = []
  for (const told of overview.told) {
    const waitingMs = parseTime(told.oldest_waiting_at)
    if (waitingMs !== null && nowMs - waitingMs > STUCK_PAGE_MS) {
      found.push(`a page to ${told.receiver} has been waiting for ${formatAge(nowMs - waitingMs)}`)
    }
  }
  if (reached(overview).length === 0) found.push('nobody is told: no receiver is configured')
  if (overview.agents.lost > 0) found.push(`${count(overview.agents.lost, 'agent')} silent`)
  const evaluatedMs = parseTime(overview.evaluation.last_at)
  if (overview.rules.rules === 0) found.push('no rules are loaded, so nothing can page')
  else if (evaluatedMs === null) found.push('rules have not been evaluated yet')
  else if (nowMs - evaluatedMs > STALE_EVALUATION_MS) found.push(`rules were last evaluated ${formatAge(nowMs - evaluatedMs)} ago`)
  if (overview.rules.broken > 0) found.push(`${count(overview.rules.broken, 'rule')} cannot be evaluated`)
  if (overview.agents.late > 0) found.push(`${count(overview.agents.late, 'agent')} late`)
  return found
}

export function verdictOf(overview: Overview | undefined, pulse: Pulse, ageMs: number): Verdict {
  if (!overview) return { tone: 'unknown', headline: 'Asking alertd', reasons: [] }
  if (pulse === 'lost') {
    return { tone: 'unknown', headline: 'No word from alertd', reasons: [`what is shown is ${formatAge(ageMs)} old`] }
  }
  const reasons = troubles(overview)
  const waiting = overview.open_incidents.filter((incident) => incident.status === 'triggered')
  const open = overview.open_incidents.length
  if (waiting.length > 0) {
    return { tone: 'bad', headline: waiting.length === 1 ? '1 incident needs someone' : `${waiting.length} incidents need someone`, reasons }
  }
  if (open > 0) {
    return { tone: 'warn', headline: `${count(open, 'incident')} being worked on`, reasons }
  }
  if (overview.state === 'down') return { tone: 'bad', headline: 'Alerting itself is in trouble', reasons }
  if (reasons.length > 0 || overview.state !== 'ok') {
    return { tone: 'warn', headline: 'No incident, but look here', reasons }
  }
  if (pulse === 'late') return { tone: 'warn', headline: 'Nothing needed you', reasons: [`as of ${formatAge(ageMs)} ago`] }
  return { tone: 'ok', headline: 'Nothing needs you', reasons }
}

/** Incidents nobody has taken: the number in the tab's title and icon. */
export function unacknowledged(overview: Overview | undefined): number {
  return overview?.open_incidents.filter((incident) => incident.status === 'triggered').length ?? 0
}
