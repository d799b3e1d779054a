// Silences as the page shows them: matchers in words, a form's draft, and the line of a
// recurring window, "sat,sun 02:00-04:00 Europe/Berlin". Pure.

import { DAY, HOUR } from './time.ts'

export interface Matcher { name: string; value: string; isRegex: boolean; isEqual: boolean }

export const OPERATORS = ['=', '!=', '=~', '!~'] as const
export type Operator = (typeof OPERATORS)[number]

export const operatorOf = (one: Matcher): Operator => (one.isRegex ? (one.isEqual ? '=~' : '!~') : one.isEqual ? '=' : '!=')
export const withOperator = (one: Matcher, operator: Operator): Matcher => ({ ...one, isRegex: operator.endsWith('~'), isEqual: operator.startsWith('=') })
export const matcherText = (one: Matcher) => `${one.name}${operatorOf(one)}${JSON.stringify(one.value)}`

/** `instance=~"db.*"`, as an address carries it; what is none is left out. */
export function readMatcher(text: string): Matcher | null {
  const found = /^([^=!~\s]+)(=~|!~|!=|=)(.*)$/s.exec(text)
  if (!found) return null
  const [, name = '', operator = '=', raw = ''] = found
  let value = raw
  try { if (raw.startsWith('"')) value = String(JSON.parse(raw)) } catch { /* as it is */ }
  return withOperator({ name, value, isRegex: false, isEqual: true }, operator as Operator)
}

/** The form's address, filled with what the labels say. */
export function silencePath(labels: Record<string, string>): string {
  const words = Object.entries(labels).map(([name, value]) => `m=${encodeURIComponent(`${name}=${JSON.stringify(value)}`)}`)
  return `/silences?${['new=1', ...words].join('&')}`
}

export const LENGTHS = [
  { words: '1 h', ms: HOUR }, { words: '2 h', ms: 2 * HOUR }, { words: '4 h', ms: 4 * HOUR }, { words: '8 h', ms: 8 * HOUR },
  { words: '1 day', ms: DAY }, { words: '3 days', ms: 3 * DAY }, { words: '1 week', ms: 7 * DAY },
]

// --- the line of a window ---

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

/** What the buttons can show of a line. */
export interface SimpleWindow { weekdays: string[]; from: string; to: string; zone: string }

function readDays(text: string): string[] | null {
  const days = new Set<string>()
  for (const part of text.split(',')) {
    const [first = '', last = first] = part.toLowerCase().split('-').map((word) => word.slice(0, 3))
    let at = WEEKDAYS.indexOf(first as (typeof WEEKDAYS)[number])
    const end = WEEKDAYS.indexOf(last as (typeof WEEKDAYS)[number])
    if (at < 0 || end < 0) return null
    for (; at !== end; at = (at + 1) % 7) days.add(WEEKDAYS[at] ?? '')
    days.add(WEEKDAYS[end] ?? '')
  }
  return WEEKDAYS.filter((day) => days.has(day))
}

/** Null: it says more than weekdays, one time of day and a zone. */
export function readLine(line: string): SimpleWindow | null {
  const simple: SimpleWindow = { weekdays: [], from: '', to: '', zone: 'UTC' }
  for (const word of line.trim().split(/\s+/)) {
    const time = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(word)
    if (time && !simple.from) {
      simple.from = time[1] ?? ''
      simple.to = time[2] === '24:00' ? '00:00' : time[2] ?? ''
    } else if (/^([A-Z]\w*(\/[\w+-]+)+|UTC)$/.test(word)) {
      simple.zone = word
    } else {
      const days = simple.weekdays.length === 0 ? readDays(word) : null
      if (!days) return null
      simple.weekdays = days
    }
  }
  return simple
}

export function writeLine({ weekdays, from, to, zone }: SimpleWindow): string {
  const days = WEEKDAYS.filter((day) => weekdays.includes(day))
  const time = from && to && from !== to ? `${from}-${to}` : ''
  return [days.length < 7 || !time ? days.join(',') : '', time, zone].filter(Boolean).join(' ')
}
