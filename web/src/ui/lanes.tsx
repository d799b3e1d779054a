// A schedule on an axis of days: who is on call, who would be without overrides, what was agreed
// on, who looks on. Nights are shaded, today is marked, nobody is red and says so.

import { useData } from '../app/data.ts'
import { PEOPLE } from '../app/roster.ts'
import type { Lanes as LanesData, Person, Span } from '../app/types.ts'
import { now } from '../app/settings.ts'
import { daysOf, formatSpan, nightsOf, place } from '../lib/roster.ts'

/** People keep their colour in all schedules: by their place among everybody. */
export function colours(lanes: LanesData, everybody: readonly string[]): Map<string, number> {
  const spans = [...lanes.rotation, ...lanes.final, ...lanes.overrides, ...lanes.shadows]
  const names = spans.map((span) => span.shadow ?? span.person).filter((name): name is string => name !== null)
  const at = (name: string, i: number) => (everybody.includes(name) ? everybody.indexOf(name) : everybody.length + i)
  return new Map([...new Set(names)].map((name, i) => [name, 1 + at(name, i) % 8]))
}

interface LaneProps {
  name: string
  spans: Span[]
  gaps?: Span[]
  fromMs: number
  toMs: number
  zone: string
  colour: Map<string, number>
  onPick?: ((span: Span) => void) | undefined
  empty: string
}

/** As much of a name as there is room for on the narrowest axis (870 px); whole in the title. */
function fits(name: string, width: number): string {
  const n = Math.floor((width * 8.7 - 14) / 8.5)
  return n >= name.length ? name : name.slice(0, Math.max(0, n))
}

const REASONS = { layer: '', override: ', by an override', swap: ', by a swap' }

function Lane({ name, spans, gaps = [], fromMs, toMs, zone, colour, onPick, empty }: LaneProps) {
  const { placed, rows } = place(spans, fromMs, toMs)
  const holes = place(gaps, fromMs, toMs).placed
  return (
    <div class="lane" role="group" aria-label={name}>
      <span class="lane-name">{name}</span>
      <div class={`lane-rows r${Math.min(rows, 4)}`}>
        {holes.map((hole) => {
          const words = `Nobody: ${formatSpan(hole.fromMs, hole.toMs, now.peek(), zone)}`
          return <span key={hole.fromMs} class="turn nobody" title={words} style={{ left: `${hole.left}%`, width: `${hole.width}%` }}>{hole.width > 8 ? 'Nobody' : ''}<span class="hidden">{words}</span></span>
        })}
        {placed.map(({ item, row, left, width, fromMs: from, toMs: to }) => {
          const who = item.shadow ?? item.person ?? 'Removed'
          const of = item.shadow ? ` shadows ${item.person ?? 'whoever is on call'} (${item.mode})` : ''
          const words = `${who}${of}: ${formatSpan(from, to, now.peek(), zone)}${REASONS[item.why ?? 'layer']}`
          const look = { class: `turn c${colour.get(who) ?? 5} ${item.why !== 'layer' && !item.shadow ? 'agreed' : ''} ${item.shadow ? 'looking' : ''} ${width < 2.2 ? 'thin' : ''} row${row % 4}`, title: words, style: { left: `${left}%`, width: `${width}%` } }
          const key = `${who} ${item.from}`
          return onPick && item.person
            ? <button key={key} type="button" {...look} onClick={() => onPick(item)}>{fits(who, width)}<span class="hidden"> {words}. Step in, or swap</span></button>
            : <span key={key} {...look}><span aria-hidden="true">{fits(who, width)}</span><span class="hidden">{words}</span></span>
        })}
        {placed.length === 0 && holes.length === 0 && <span class="lane-empty dim">{empty}</span>}
      </div>
    </div>
  )
}

const AT = (ms: number, fromMs: number, toMs: number) => 100 * (ms - fromMs) / (toMs - fromMs)

export function Lanes({ lanes, zone, days: n, onPick, only }: { lanes: LanesData; zone: string; days: number; onPick?: (span: Span) => void; only?: 'final' }) {
  const fromMs = Date.parse(lanes.from)
  const days = daysOf(fromMs, n, zone)
  const toMs = Date.parse(lanes.to)
  const people = useData<{ people: Person[] }>(PEOPLE, ['roster'])
  const colour = colours(lanes, (people.value?.people ?? []).map((one) => one.name))
  const part = (from: number, to: number) => {
    const left = Math.max(0, AT(from, fromMs, toMs))
    return { left: `${left}%`, width: `${Math.max(0, Math.min(100, AT(to, fromMs, toMs)) - left)}%` }
  }
  const today = days.find((day) => now.value >= day.fromMs && now.value < day.toMs)
  const shared = { fromMs, toMs, zone, colour }
  return (
    <div class="scroll lanes-scroll" tabIndex={0} role="region" aria-label={`${lanes.name}: ${n} days, times of ${zone}`}>
      <div class="lanes">
        <div class="lane-axis" aria-hidden="true"><div>
          {days.map((day) => <span key={day.fromMs} class={`${day === today ? 'today' : ''} ${day.weekend ? 'weekend' : ''}`} style={part(day.fromMs, day.toMs)}>{day.name}</span>)}
        </div></div>
        <div class="lane-back" aria-hidden="true"><div>
          {nightsOf(days, zone).map((night) => <i key={night.fromMs} class="night" style={part(night.fromMs, night.toMs)} />)}
          {days.map((day) => <i key={day.fromMs} class="midnight" style={{ left: part(day.fromMs, day.toMs).left }} />)}
          {today && <i class="today" style={part(today.fromMs, today.toMs)} />}
          {now.value > fromMs && now.value < toMs && <i class="now" style={{ left: `${AT(now.value, fromMs, toMs)}%` }} />}
        </div></div>
        <Lane name="On call" spans={lanes.final} gaps={lanes.gaps} empty="Nobody" onPick={onPick} {...shared} />
        {!only && <Lane name="Rotation" spans={lanes.rotation} empty="No turns" {...shared} />}
        {!only && <Lane name="Overrides" spans={lanes.overrides} empty="None in these days" {...shared} />}
        {!only && <Lane name="Shadows" spans={lanes.shadows} empty="None in these days" {...shared} />}
      </div>
      {colour.size > 1 && <ul class="lane-legend" aria-hidden="true">{[...colour].map(([name, tone]) => <li key={name}><i class={`swatch s${tone}`} />{name}</li>)}</ul>}
    </div>
  )
}
