// Times as people read and type them. Pure: the caller brings now and the zone.
//
// A zone is "local" (the browser's) or "utc". Ages round down: "3 min" has lasted three
// whole minutes. Ranges speak Grafana's grammar: "now", "now-6h", or an absolute time.

export type Zone = 'local' | 'utc'

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

const UNITS: [string, number][] = [
  ['y', 365 * DAY], ['w', 7 * DAY], ['d', DAY], ['h', HOUR], ['m', MINUTE], ['s', SECOND], ['ms', 1],
]

const two = (n: number) => String(n).padStart(2, '0')

/** Milliseconds since 1970 of an RFC 3339 text; null for null or nonsense. */
export function parseTime(text: string | null | undefined): number | null {
  if (!text) return null
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? null : ms
}

/** "8 s", "3 min", "2 h 05 min", "4 d 03 h": how long something has lasted. */
export function formatAge(ms: number): string {
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / SECOND))} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ${two(Math.floor((ms % HOUR) / MINUTE))} min`
  return `${Math.floor(ms / DAY)} d ${two(Math.floor((ms % DAY) / HOUR))} h`
}

/** "just now", "3 min ago", "in 20 s". */
export function formatAgo(atMs: number, nowMs: number): string {
  const ms = nowMs - atMs
  if (ms < -1500) return `in ${formatAge(-ms)}`
  return ms < 2000 ? 'just now' : `${formatAge(ms)} ago`
}

/** A running clock: "0:42", "12:04", "1:02:03", "2 d 1:02:03". */
export function formatElapsed(ms: number): string {
  const s = Math.max(0, Math.floor(ms / SECOND))
  const days = Math.floor(s / 86400)
  const hours = Math.floor((s % 86400) / 3600)
  const minutes = Math.floor((s % 3600) / 60)
  const clock = hours || days ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`
  return days ? `${days} d ${clock}` : clock
}

interface Parts { year: number; month: number; day: number; hour: number; minute: number; second: number }

export function parts(ms: number, zone: Zone): Parts {
  const d = new Date(ms)
  return zone === 'utc'
    ? { year: d.getUTCFullYear(), month: d.getUTCMonth() + 1, day: d.getUTCDate(),
        hour: d.getUTCHours(), minute: d.getUTCMinutes(), second: d.getUTCSeconds() }
    : { year: d.getFullYear(), month: d.getMonth() + 1, day: d.getDate(),
        hour: d.getHours(), minute: d.getMinutes(), second: d.getSeconds() }
}

/** "14:05:09". */
export function formatClock(ms: number, zone: Zone): string {
  const p = parts(ms, zone)
  return `${two(p.hour)}:${two(p.minute)}:${two(p.second)}`
}

/** "2026-08-21". */
export function formatDay(ms: number, zone: Zone): string {
  const p = parts(ms, zone)
  return `${p.year}-${two(p.month)}-${two(p.day)}`
}

/** "2026-08-21 14:05:09 UTC": the whole truth, for hovering and copying. */
export function formatExact(ms: number, zone: Zone): string {
  return `${formatDay(ms, zone)} ${formatClock(ms, zone)}${zone === 'utc' ? ' UTC' : ''}`
}

/** The clock today, the day and clock otherwise: short where the day goes without saying. */
export function formatShort(ms: number, nowMs: number, zone: Zone): string {
  const clock = formatClock(ms, zone)
  return formatDay(ms, zone) === formatDay(nowMs, zone) ? clock : `${formatDay(ms, zone).slice(5)} ${clock.slice(0, 5)}`
}

/** Milliseconds of "90s", "1h30m", "5m"; null when it is none. */
export function parseDuration(text: string): number | null {
  if (!/^(\d+(ms|[ywdhms]))+$/.test(text)) return null
  let total = 0
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[ywdhms])/g)) {
    total += Number(count) * (UNITS.find(([name]) => name === unit)?.[1] ?? 0)
  }
  return total
}

/** "1h30m", "90s" becomes "1m30s", 0 is "0s": as rule files write it. */
export function formatDuration(ms: number): string {
  let rest = ms
  let text = ''
  for (const [name, size] of UNITS) {
    if (name === 'y' || name === 'w') continue
    const count = Math.floor(rest / size)
    if (count > 0) text += `${count}${name}`
    rest -= count * size
  }
  return text || '0s'
}

/** "0.4 ms", "812 ms", "1.25 s": how long a machine took. */
export function formatTook(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(2))} ms`
  if (ms < 1000) return `${Math.round(ms)} ms`
  return ms < MINUTE ? `${Number((ms / 1000).toFixed(2))} s` : formatAge(ms)
}

/** One end of a range: "now", "now-6h", "now+1h", RFC 3339, or Unix seconds. */
export function parseMoment(text: string, nowMs: number): number | null {
  const relative = /^now(?:([+-])(.+))?$/.exec(text.trim())
  if (relative) {
    if (!relative[1]) return nowMs
    const by = parseDuration(relative[2] ?? '')
    return by === null ? null : nowMs + (relative[1] === '-' ? -by : by)
  }
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * SECOND
  return parseTime(text)
}

export interface Range { fromMs: number; toMs: number }

/** Both ends, in order and not in the same instant; null when either is nonsense. */
export function parseRange(from: string, to: string, nowMs: number): Range | null {
  const fromMs = parseMoment(from, nowMs)
  const toMs = parseMoment(to, nowMs)
  return fromMs === null || toMs === null || fromMs >= toMs ? null : { fromMs, toMs }
}

/**
 * A note may begin with when it happened: "14:05 restarted nginx", "02:14:07 paged Ana".
 * That is a moment in the last 24 hours; without one, the note is of now.
 */
export function parseNote(text: string, nowMs: number, zone: Zone): { text: string; atMs: number | null } {
  const found = /^(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s*[-:]\s*|\s+)(?=\S)/.exec(text.trim())
  const hour = Number(found?.[1])
  const minute = Number(found?.[2])
  const second = Number(found?.[3] ?? 0)
  if (!found || hour > 23 || minute > 59 || second > 59) return { text: text.trim(), atMs: null }
  const day = new Date(nowMs)
  if (zone === 'utc') day.setUTCHours(hour, minute, second, 0)
  else day.setHours(hour, minute, second, 0)
  let atMs = day.getTime()
  if (atMs > nowMs + MINUTE) atMs -= DAY
  return { text: text.trim().slice(found[0].length), atMs }
}
