// A shadow's page beside the real one: what state it is in, what comes next, where both
// timelines lie on one axis, and what separates a trainee from the gate. Pure.
//
//     made --told--> seen --> (acknowledged) --> hypothesis --> answered     each with its own clock

import type { Compared, Readiness, Shadow, ShadowMode, ShadowMoment, ShadowPage } from '../app/types.ts'
import { count } from './number.ts'
import { DAY, HOUR, MINUTE, SECOND, formatAge, parseTime } from './time.ts'

export const MODES: { mode: ShadowMode; words: string; means: string }[] = [
  { mode: 'observe', words: 'Observe', means: 'A marked copy of each page, to look at and to guess what it is.' },
  { mode: 'own copy', words: 'Own copy', means: 'Their own copy to acknowledge and work on. The incident never hears of it.' },
  { mode: 'reverse', words: 'Reverse', means: 'Paged first, and for real. The mentor gets the same page and may take over.' },
]

export type When = 'now' | 'next' | 'over'

export function whenOf(shadow: Shadow, nowMs: number): When {
  if (Date.parse(shadow.spec.to) <= nowMs) return 'over'
  return Date.parse(shadow.spec.from) <= nowMs ? 'now' : 'next'
}

/** Who looks on now (who stops first is first), who will (soonest first), who did (newest first). */
export function byWhen(shadows: readonly Shadow[], nowMs: number): Record<When, Shadow[]> {
  const at = (when: When) => shadows.filter((one) => whenOf(one, nowMs) === when)
  const by = (key: 'from' | 'to') => (a: Shadow, b: Shadow) => Date.parse(a.spec[key]) - Date.parse(b.spec[key])
  return { now: at('now').sort(by('to')), next: at('next').sort(by('from')), over: at('over').sort(by('to')).reverse() }
}

/** "2 min 05 s", exact enough to compare people by. */
export function formatLag(ms: number): string {
  if (ms < MINUTE || ms >= HOUR) return formatAge(ms)
  const seconds = Math.floor((ms % MINUTE) / SECOND)
  return `${Math.floor(ms / MINUTE)} min${seconds ? ` ${String(seconds).padStart(2, '0')} s` : ''}`
}

/** How long after the copy was made something happened; null: not yet. */
export function lagOf(page: ShadowPage, at: string | null): number | null {
  const ms = parseTime(at)
  return ms === null ? null : Math.max(0, ms - (parseTime(page.made_at) ?? ms))
}

export type Step = 'seen' | 'acknowledged' | 'hypothesis' | 'answered'
const REACHED: Record<Step, (page: ShadowPage) => string | null> = {
  seen: (page) => page.seen_at ?? page.opened_at,
  acknowledged: (page) => page.acknowledged_at,
  hypothesis: (page) => page.hypothesis_at,
  answered: (page) => page.answers.answered_at,
}

/** The steps of a page in this mode, each with when it was done. An observer acknowledges nothing. */
export function stepsOf(page: ShadowPage): { step: Step; at: string | null; lagMs: number | null }[] {
  const steps: Step[] = page.mode === 'observe' ? ['seen', 'hypothesis', 'answered'] : ['seen', 'acknowledged', 'hypothesis', 'answered']
  return steps.map((step) => {
    const at = REACHED[step](page)
    return { step, at, lagMs: lagOf(page, at) }
  })
}

export interface PageState { tone: 'bad' | 'warn' | 'ok' | 'idle' | 'accent'; icon: 'cross' | 'clock' | 'sent' | 'note' | 'hand' | 'check' | 'person'; words: string }

/** Where a page stands: the last thing its trainee did, or what became of telling them. */
export function stateOf(page: ShadowPage): PageState {
  if (page.answers.answered_at) return { tone: 'ok', icon: 'check', words: 'Answered' }
  if (page.hypothesis_at) return { tone: 'accent', icon: 'note', words: 'Guessed, not answered' }
  if (page.acknowledged_at) return { tone: 'accent', icon: 'hand', words: 'Acknowledged' }
  if (page.seen_at ?? page.opened_at) return { tone: 'accent', icon: 'person', words: 'Seen' }
  if (page.told_at) return { tone: 'warn', icon: 'sent', words: 'Told, not seen' }
  if (page.deliveries.length > 0 && page.deliveries.every((one) => one.state === 'failed')) return { tone: 'bad', icon: 'cross', words: 'Not delivered' }
  return { tone: 'idle', icon: 'clock', words: page.deliveries.length === 0 ? 'Only on this page' : 'On its way' }
}

/** "seen after 1 min 10 s, acknowledged after 2 min, not answered". */
export function progressWords(page: ShadowPage): string {
  const done = { seen: 'seen', acknowledged: 'acknowledged', hypothesis: 'guessed', answered: 'answered' }
  const steps = stepsOf(page)
  const words = steps.filter((one) => one.lagMs !== null).map((one) => `${done[one.step]} after ${formatLag(one.lagMs ?? 0)}`)
  if (words.length === 0) return 'not seen'
  return page.answers.answered_at ? words.join(', ') : [...words, 'not answered'].join(', ')
}

const WHATS: Record<string, string> = { told: 'Told', seen: 'Seen', opened: 'Opened', acknowledged: 'Acknowledged', hypothesis: 'First hypothesis', resolved: 'Resolved' }

/** `alone`: what there is to say when only one of them did it. A copy is never resolved, and what they saw and guessed nobody measures. */
export interface Difference { what: string; you: string; they: string; difference: string; alone: string }

/** One line of the comparison; `they` may be several people. */
export function differenceOf(one: Compared): Difference {
  const side = (ms: number | null) => (ms === null ? '–' : formatLag(ms))
  const line = { what: WHATS[one.what] ?? one.what.charAt(0).toUpperCase() + one.what.slice(1).replaceAll('_', ' '), you: side(one.shadow_ms), they: side(one.real_ms) }
  if (one.shadow_ms === null || one.real_ms === null) {
    const onlyYou: Record<string, string> = { told: 'they were not', acknowledged: 'they did not' }
    const alone = one.shadow_ms !== null ? onlyYou[one.what] ?? 'theirs is not measured' : one.what === 'resolved' ? '' : 'only they'
    return { ...line, difference: '', alone }
  }
  const by = one.shadow_ms - one.real_ms
  if (Math.abs(by) < SECOND) return { ...line, difference: 'at the same time', alone: '' }
  return { ...line, difference: `${formatLag(Math.abs(by))} ${by < 0 ? 'earlier' : 'later'}`, alone: '' }
}

export interface Row { atMs: number; side: 'you' | 'they'; moment: ShadowMoment; key: string }

/** Both timelines as one, oldest first; of one instant the trainee's comes second. */
export function merged(shadow: readonly ShadowMoment[], real: readonly ShadowMoment[]): Row[] {
  const rows = (list: readonly ShadowMoment[], side: Row['side']) => list.map((moment, i) => ({ atMs: parseTime(moment.at) ?? 0, side, moment, key: `${side} ${i}` }))
  return [...rows(real, 'they'), ...rows(shadow, 'you')].sort((a, b) => a.atMs - b.atMs)
}

const TICKS = [0, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY]
const KNEE_MS = 20 * SECOND
const TICK_GAP = 11 // per cent: room for "15 min" on a phone

/** An axis that is stretched at its beginning, where seconds matter, and spends little on long ends. */
export function axisOf(rows: readonly Row[]): { fromMs: number; toMs: number; at: (ms: number) => number; ticks: { ms: number; words: string; at: number }[] } {
  const fromMs = Math.min(...rows.map((row) => row.atMs))
  const toMs = Math.max(...rows.map((row) => row.atMs), fromMs + MINUTE)
  const scale = (ms: number) => Math.log1p(Math.max(0, ms) / KNEE_MS)
  const at = (ms: number) => Math.min(100, 100 * scale(ms - fromMs) / scale(toMs - fromMs))
  const ticks: { ms: number; words: string; at: number }[] = []
  for (const ms of TICKS) {
    const tick = { ms, words: ms === 0 ? '0' : tickWords(ms), at: at(fromMs + ms) }
    if (fromMs + ms <= toMs && tick.at - (ticks.at(-1)?.at ?? -TICK_GAP) >= TICK_GAP) ticks.push(tick)
  }
  return { fromMs, toMs, at, ticks }
}

function tickWords(ms: number): string {
  if (ms < HOUR) return `${ms / MINUTE} min`
  return ms < DAY ? `${ms / HOUR} h` : `${ms / DAY} d`
}

const percent = (share: number) => `${Math.round(share * 100)} %`

/** How many more pages that make sense it takes until the share is above what is needed. */
export function sensibleToGo(row: Readiness): number {
  const { needs_pages: pages, needs_sense: sense } = row.gate
  for (let n = 0; n < 1000; n++) {
    const answered = row.answered + n
    if (answered >= pages && row.made_sense + n > sense * answered) return n
  }
  return 1000
}

/** What separates somebody from the gate, a sentence each; empty when nothing does. */
export function missing(row: Readiness): string[] {
  const { needs_pages: pages, needs_sense: sense } = row.gate
  const words: string[] = []
  if (!row.gate.passed) {
    const unanswered = row.pages - row.answered
    if (row.answered < pages) {
      words.push(`${count(pages - row.answered, 'more page')} to answer: ${row.answered} of ${pages} so far.`)
      if (unanswered > 0) words.push(`${count(unanswered, 'page')} ${unanswered === 1 ? 'is' : 'are'} not answered yet: that is the quickest way.`)
    }
    if (row.answered > 0 && row.made_sense <= sense * row.answered) {
      words.push(`More than ${percent(sense)} must make sense: ${row.made_sense} of ${row.answered} did (${percent(row.made_sense / row.answered)}). With ${count(sensibleToGo(row), 'more page')} that ${sensibleToGo(row) === 1 ? 'does' : 'do'}, it is reached.`)
    }
  }
  const toDo = row.items - row.items_done
  const toSign = row.items_done - row.items_signed
  if (toDo > 0) words.push(`${count(toDo, 'item')} of the list to do.`)
  if (toSign > 0) words.push(`${count(toSign, 'item')} done and waiting for a mentor's signature.`)
  return words
}

/** Is it an address one can follow, of ours or on the web? */
export function linkOf(evidence: string): string | null {
  return /^(https?:\/\/\S+|\/(?![/\\])\S*)$/i.test(evidence.trim()) ? evidence.trim() : null
}
