// Times on the page. Only these small leaves follow the ticking clock; hovering shows the
// whole truth, and the zone is the person's choice.

import { now, zone } from '../app/settings.ts'
import { formatAge, formatAgo, formatElapsed, formatExact, formatShort, parseTime } from '../lib/time.ts'

/** "3 min ago", exact on hover; `never` when there is no time. */
export function Ago({ at, never = 'never' }: { at: string | null | undefined; never?: string }) {
  const ms = parseTime(at)
  if (ms === null) return <span class="dim">{never}</span>
  return <time dateTime={at ?? ''} title={formatExact(ms, zone.value)}>{formatAgo(ms, now.value)}</time>
}

/** "3 min": how long it has lasted, exact start on hover. */
export function Age({ atMs }: { atMs: number }) {
  return <time dateTime={new Date(atMs).toISOString()} title={`since ${formatExact(atMs, zone.value)}`}>{formatAge(now.value - atMs)}</time>
}

/** "14:05:09", with the day when it is another one. */
export function Clock({ at, none = '' }: { at: string | null | undefined; none?: string }) {
  const ms = parseTime(at)
  if (ms === null) return <span class="dim">{none}</span>
  return <time class="num" dateTime={at ?? ''} title={`${formatExact(ms, zone.value)} (${formatAgo(ms, now.value)})`}>{formatShort(ms, now.value, zone.value)}</time>
}

/** A running clock from one moment to another, or to now. */
export function Elapsed({ from, to }: { from: string; to: string | null }) {
  const fromMs = parseTime(from) ?? 0
  const toMs = parseTime(to)
  return <span class="num" title={`since ${formatExact(fromMs, zone.value)}`}>{formatElapsed((toMs ?? now.value) - fromMs)}</span>
}
