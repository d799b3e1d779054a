// What is typed into an incident's note box, read: its kind from the first word, its time from
// "@14:02", "@-5m" or "@~14:00". The page says what it understood before it is saved.
//
//     "h: the pool is full @-5m" --> human.hypothesis, five minutes ago, "the pool is full"
//     "$ df -h"                  --> human.command

import { type Zone, DAY, MINUTE, parseDuration, parseNote } from './time.ts'

export interface Typed { kind: string; words: string; text: string; atMs: number | null; approx: boolean }

interface Kind { kind: string; words: string; keys: string[] }

/** In the order of the chooser. */
export const KINDS: Kind[] = [
  { kind: 'human.note', words: 'Note', keys: ['n'] },
  { kind: 'human.hypothesis', words: 'Hypothesis', keys: ['h', 'hypothesis'] },
  { kind: 'human.observation', words: 'Observation', keys: ['o', 'observation'] },
  { kind: 'human.action', words: 'Action', keys: ['a', 'action'] },
  { kind: 'human.decision', words: 'Decision', keys: ['d', 'decision'] },
  { kind: 'human.command', words: 'Command', keys: ['$'] },
  { kind: 'human.question', words: 'Question', keys: ['q', 'question'] },
  { kind: 'human.report', words: 'Report by a user', keys: ['r', 'report'] },
  { kind: 'human.todo', words: 'To do', keys: ['t', 'todo'] },
  { kind: 'cause.identified', words: 'Cause', keys: ['cause'] },
  { kind: 'mitigation.applied', words: 'Mitigation', keys: ['m', 'mitigation'] },
  { kind: 'impact.start', words: 'Impact begins', keys: ['impact'] },
  { kind: 'impact.end', words: 'Impact ends', keys: ['over'] },
  { kind: 'comms.internal', words: 'Message sent', keys: ['c', 'comms'] },
  { kind: 'comms.status_page', words: 'Status page', keys: ['s', 'status'] },
]

const HUMAN_NAMES: Record<string, string> = Object.fromEntries(KINDS.map(({ kind, words }) => [kind, words]))

/** A kind as a person says it: the chooser's word, or the kind itself without its family. */
export function kindWords(kind: string): string {
  return HUMAN_NAMES[kind] ?? kind.replaceAll('_', ' ').replace('.', ': ')
}

function takeKind(text: string): { kind: string; rest: string } {
  if (/^\$\s+\S/.test(text)) return { kind: 'human.command', rest: text.replace(/^\$\s+/, '') }
  const found = /^([a-z]+):\s+(?=\S)/i.exec(text)
  const known = found && KINDS.find(({ keys }) => keys.includes((found[1] ?? '').toLowerCase()))
  return known ? { kind: known.kind, rest: text.slice(found[0].length) } : { kind: '', rest: text }
}

/** "@14:02", "@14:02:33", "@~14:00", "@-5m", anywhere as a word. */
function takeTime(text: string, nowMs: number, zone: Zone): { rest: string; atMs: number | null; approx: boolean } {
  const found = /(?:^|\s)@(~?)(-[0-9][0-9a-z]*|\d{1,2}:\d{2}(?::\d{2})?)(?=\s|$)/.exec(text)
  if (!found) return { rest: text, atMs: null, approx: false }
  const approx = found[1] === '~'
  const word = found[2] ?? ''
  const rest = (text.slice(0, found.index) + text.slice(found.index + found[0].length)).trim()
  if (word.startsWith('-')) {
    const span = parseDuration(word.slice(1))
    return span === null || span > 365 * DAY ? { rest: text, atMs: null, approx: false } : { rest, atMs: nowMs - span, approx }
  }
  const { atMs } = parseNote(`${word} x`, nowMs, zone)
  return atMs === null ? { rest: text, atMs: null, approx: false } : { rest, atMs, approx }
}

export function parseTyped(typed: string, chosen: string, nowMs: number, zone: Zone): Typed {
  const time = takeTime(typed.trim(), nowMs, zone)
  const first = parseNote(time.rest, nowMs, zone)
  const { kind, rest } = takeKind(first.text)
  const second = kind && first.atMs === null ? parseNote(rest, nowMs, zone) : { text: rest, atMs: null }
  const is = kind || chosen || 'human.note'
  return { kind: is, words: kindWords(is), text: second.text, atMs: time.atMs ?? first.atMs ?? second.atMs, approx: time.approx }
}

/** "14:02", "2026-11-23 14:02:05" in the reader's zone, or RFC 3339; null: no time. */
export function parseAt(text: string, nowMs: number, zone: Zone): number | null {
  const trimmed = text.trim()
  const clock = parseNote(`${trimmed} x`, nowMs, zone)
  if (clock.atMs !== null && clock.text === 'x') return clock.atMs
  const day = /^(\d{4})-(\d{2})-(\d{2})[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?$/.exec(trimmed)
  if (!day) {
    const whole = /(?:Z|[+-]\d{2}:\d{2})$/.test(trimmed) ? Date.parse(trimmed) : NaN
    return Number.isNaN(whole) ? null : whole
  }
  const [year, month, date, hour, minute, second] = day.slice(1, 7).map((part) => Number(part ?? 0)) as [number, number, number, number, number, number]
  const atMs = zone === 'utc' ? Date.UTC(year, month - 1, date, hour, minute, second) : new Date(year, month - 1, date, hour, minute, second).getTime()
  return Number.isNaN(atMs) || atMs > nowMs + MINUTE ? null : atMs
}

export interface Window { offset: number; limit: number }

/** The rows a page shows, counted from the newest: page 0 ends at the newest row. */
export function windowOf(page: number, total: number, size: number): { from: number; to: number; pages: number } {
  const pages = Math.max(1, Math.ceil(total / size))
  const at = Math.min(Math.max(0, page), pages - 1)
  const to = Math.max(0, total - at * size)
  return { from: Math.max(0, to - size), to, pages }
}

/** What a setting would have cost: "3 alerts (as it was 1), 2 pages (1)"; null where nothing was counted. */
export function costWords(one: { alerts_30d: number | null; alerts_30d_then: number | null; pages_30d: number | null; pages_30d_then: number | null }): string | null {
  const said = (n: number | null, what: string, then: number | null, words: string) =>
    n === null ? null : `${n} ${n === 1 ? what : `${what}s`}${then === null ? '' : ` (${words}${then})`}`
  const parts = [said(one.alerts_30d, 'alert', one.alerts_30d_then, 'as it was '), said(one.pages_30d, 'page', one.pages_30d_then, '')].filter((part) => part !== null)
  return parts.length > 0 ? parts.join(', ') : null
}
