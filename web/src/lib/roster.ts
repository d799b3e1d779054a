// People's turns as the page shows them: wall clocks of any zone, and where a span lies on an
// axis. Pure: the caller brings now and the zone's name.
//
// A wall clock's time names the first instant that shows it, as alertd counts: in the hour that
// is skipped in spring the instant behind the gap, in the doubled one of autumn the first.

import { DAY, HOUR, MINUTE } from './time.ts'

export interface Wall { year: number; month: number; day: number; hour: number; minute: number; weekday: number }

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const two = (n: number) => String(n).padStart(2, '0')
const formats = new Map<string, Intl.DateTimeFormat>()

/** A zone this browser does not know is shown as UTC. */
function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone)
  if (!format) {
    const options = { hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const
    try {
      format = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone })
    } catch {
      format = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' })
    }
    formats.set(zone, format)
  }
  return format
}

/** Milliseconds the zone is east of UTC at an instant. */
function offsetMs(ms: number, zone: string): number {
  const at = Object.fromEntries(formatOf(zone).formatToParts(ms).map((part) => [part.type, Number(part.value)])) as Record<string, number>
  return Date.UTC(at['year'] ?? 0, (at['month'] ?? 1) - 1, at['day'], at['hour'], at['minute'], at['second']) - Math.floor(ms / 1000) * 1000
}

export function wallOf(ms: number, zone: string): Wall {
  const there = new Date(ms + offsetMs(ms, zone))
  return { year: there.getUTCFullYear(), month: there.getUTCMonth() + 1, day: there.getUTCDate(), hour: there.getUTCHours(), minute: there.getUTCMinutes(), weekday: there.getUTCDay() }
}

/** The instant of a wall clock's time; day 32 of January is 1 February. */
export function instantOf(wall: Pick<Wall, 'year' | 'month' | 'day' | 'hour' | 'minute'>, zone: string): number {
  const there = Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute)
  const before = offsetMs(there - DAY, zone)
  const after = offsetMs(there + DAY, zone)
  const early = there - Math.max(before, after)
  const late = there - Math.min(before, after)
  if (early + offsetMs(early, zone) === there) return early
  if (late + offsetMs(late, zone) === there) return late
  let from = early // in a gap: the clock jumps somewhere between the two
  let to = late
  while (to - from > 1000) {
    const middle = Math.floor((from + to) / 2)
    if (middle + offsetMs(middle, zone) >= there) to = middle
    else from = middle
  }
  return Math.ceil(to / MINUTE) * MINUTE
}

/** "2026-12-01T09:00": what a date and time field holds. */
export function wallText(ms: number, zone: string): string {
  const at = wallOf(ms, zone)
  return `${at.year}-${two(at.month)}-${two(at.day)}T${two(at.hour)}:${two(at.minute)}`
}

export function readWall(text: string, zone: string): number | null {
  const found = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})/.exec(text)
  if (!found) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = found.slice(1).map(Number)
  return instantOf({ year, month, day, hour, minute }, zone)
}

/** "Mon 30 Nov 09:00", with the year when it is not now's. */
export function formatWhen(ms: number, nowMs: number, zone: string): string {
  const at = wallOf(ms, zone)
  const year = at.year === wallOf(nowMs, zone).year ? '' : ` ${at.year}`
  return `${WEEKDAYS[at.weekday]} ${at.day} ${MONTHS[at.month - 1]}${year} ${two(at.hour)}:${two(at.minute)}`
}

/** "Mon 30 Nov 09:00 – 17:00" within a day, both days otherwise. */
export function formatSpan(fromMs: number, toMs: number, nowMs: number, zone: string): string {
  const from = wallOf(fromMs, zone)
  const to = wallOf(toMs, zone)
  const same = from.year === to.year && from.month === to.month && from.day === to.day
  return `${formatWhen(fromMs, nowMs, zone)} – ${same ? `${two(to.hour)}:${two(to.minute)}` : formatWhen(toMs, nowMs, zone)}`
}

export interface Day { fromMs: number; toMs: number; name: string; weekend: boolean }

/** The days of a zone from the one fromMs lies in; a day may have 23 or 25 hours. */
export function daysOf(fromMs: number, n: number, zone: string): Day[] {
  const first = wallOf(fromMs, zone)
  const start = (i: number) => instantOf({ ...first, day: first.day + i, hour: 0, minute: 0 }, zone)
  return Array.from({ length: n }, (_, i) => {
    const from = start(i)
    const at = wallOf(from + 12 * HOUR, zone)
    return { fromMs: from, toMs: start(i + 1), name: `${WEEKDAYS[at.weekday]} ${at.day}`, weekend: at.weekday % 6 === 0 }
  })
}

/** Night on the wall clock: 22:00 to 06:00. */
export function nightsOf(days: Day[], zone: string): { fromMs: number; toMs: number }[] {
  return days.flatMap((day) => {
    const at = wallOf(day.fromMs + 12 * HOUR, zone)
    return [{ fromMs: day.fromMs, toMs: instantOf({ ...at, hour: 6, minute: 0 }, zone) },
            { fromMs: instantOf({ ...at, hour: 22, minute: 0 }, zone), toMs: day.toMs }]
  })
}

export interface Placed<T> { item: T; row: number; left: number; width: number; fromMs: number; toMs: number }

/** Spans on an axis, in per cent, each in the first row that is free. */
export function place<T extends { from: string; to: string }>(spans: readonly T[], fromMs: number, toMs: number): { placed: Placed<T>[]; rows: number } {
  const ends: number[] = []
  const placed: Placed<T>[] = []
  for (const item of spans) {
    const from = Math.max(Date.parse(item.from), fromMs)
    const to = Math.min(Date.parse(item.to), toMs)
    if (to <= from) continue
    let row = ends.findIndex((end) => end <= from)
    if (row < 0) row = ends.length
    ends[row] = to
    placed.push({ item, row, left: 100 * (from - fromMs) / (toMs - fromMs), width: 100 * (to - from) / (toMs - fromMs), fromMs: Date.parse(item.from), toMs: Date.parse(item.to) })
  }
  return { placed, rows: Math.max(1, ends.length) }
}

export interface Target { person?: string; schedule?: string; receiver?: string }
export interface PolicyStep { delay_ms: number; targets: Target[] }

const targetWords = (target: Target) => (target.schedule ? `who is on call in ${target.schedule}` : target.receiver ? `receiver ${target.receiver}` : target.person ?? '')
const list = (words: string[]) => (words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`)

/** "5 min", "1 h 30 min": how long somebody has. */
export function formatWait(ms: number): string {
  const hours = Math.floor(ms / HOUR)
  const minutes = Math.floor((ms % HOUR) / MINUTE)
  const seconds = Math.floor((ms % MINUTE) / 1000)
  return [hours && `${hours} h`, minutes && `${minutes} min`, seconds && `${seconds} s`].filter(Boolean).join(' ') || 'at once'
}

/** targets: whom it pages; without, it begins again. */
export interface PolicyLine { when: string; what: string; targets?: Target[] }

/** A policy, step by step, with when each is due if nobody reacts. */
export function policyWords(policy: { steps: PolicyStep[]; repeat?: number; fallback?: Target[]; ack_expires_ms?: number }): PolicyLine[] {
  let at = 0
  const lines: PolicyLine[] = policy.steps.map((step) => {
    const line = { targets: step.targets,  when: at === 0 ? 'At once' : `After ${formatWait(at)}`, what: `page ${list(step.targets.map(targetWords))}` }
    at += step.delay_ms
    return line
  })
  const repeat = policy.repeat ?? 0
  if (repeat > 0) lines.push({ when: `After ${formatWait(at)}`, what: `begin again, ${repeat === 1 ? 'once' : `${repeat} times`}` })
  if (policy.fallback?.length) lines.push({ when: `After ${formatWait(at * (repeat + 1))}`, what: `page ${list(policy.fallback.map(targetWords))}`, targets: policy.fallback })
  return lines
}
