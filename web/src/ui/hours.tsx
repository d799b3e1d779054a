// The last 24 hours in 24 bars: how often something fired, readable from across the room.

import { zone } from '../app/settings.ts'
import { count } from '../lib/number.ts'
import { HOUR, formatClock } from '../lib/time.ts'

export interface Hour { atMs: number; fired: number }

export function Hours({ hours, what, height = 44 }: { hours: readonly Hour[]; what: string; height?: number }) {
  const most = Math.max(1, ...hours.map((hour) => hour.fired))
  const total = hours.reduce((sum, hour) => sum + hour.fired, 0)
  const worst = hours.find((hour) => hour.fired === most && total > 0)
  const clock = (ms: number) => formatClock(ms, zone.value).slice(0, 5)
  const words = total === 0 ? `${what}: none in 24 hours` : `${what}: ${count(total, 'time')} in 24 hours${worst ? `, most after ${clock(worst.atMs)}` : ''}`
  return (
    <svg class="hours" viewBox={`0 0 240 ${height}`} preserveAspectRatio="none" role="img" aria-label={words}>
      {hours.map((hour, i) => {
        const tall = hour.fired === 0 ? 2 : 5 + (height - 5) * (hour.fired / most)
        return (
          <rect key={hour.atMs} class={hour.fired ? 'fired' : ''} x={i * 10 + 1.25} width="7.5" y={height - tall} height={tall} rx="1.5">
            <title>{`${clock(hour.atMs)} to ${clock(hour.atMs + HOUR)}: ${hour.fired}`}</title>
          </rect>
        )
      })}
    </svg>
  )
}
