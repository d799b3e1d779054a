// What happened, on one axis of time: marks, impact, alerts and changes as lanes, and below them
// the graphs of what fired. The lanes have the margins of the graphs, so that a line can be
// followed down with the eye.

import { useComputed } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import { may } from '../app/api.ts'
import { incidentPath } from '../app/actions.ts'
import { useData } from '../app/data.ts'
import { addRow } from '../app/record.ts'
import { now, zone } from '../app/settings.ts'
import type { IncidentAlert, IncidentDetail, RecordImpact, RecordMarks, Related } from '../app/types.ts'
import { ExpressionChart } from '../chart/expression.tsx'
import type { Mark } from '../chart/plot.ts'
import { type Span, barOf, placeMarks, shareOf } from '../lib/axis.ts'
import { MINUTE, SECOND, formatClock, formatDuration, formatExact, parseTime } from '../lib/time.ts'
import { Panel } from '../ui/parts.tsx'
import { marksPath } from './incident_record.tsx'

const MARKS: Record<string, { words: string; tone: Mark['tone'] }> = {
  trigger: { words: 'trigger', tone: 'warn' }, impact_start: { words: 'impact', tone: 'bad' }, detected: { words: 'detected', tone: 'bad' },
  paged: { words: 'paged', tone: 'warn' }, acked: { words: 'ack', tone: 'accent' }, response_start: { words: 'response', tone: 'accent' },
  cause_identified: { words: 'cause', tone: 'accent' }, mitigated: { words: 'mitigated', tone: 'ok' }, resolved: { words: 'resolved', tone: 'ok' },
}
const ALERTS_MAX = 6
const GRAPHS_MAX = 3
const GRID_MS = 15 * SECOND

/** Those of one moment are one line. */
function linesOf(marks: RecordMarks | undefined): Mark[] {
  const lines = new Map<number, Mark>()
  for (const mark of marks?.marks ?? []) {
    const atMs = parseTime(mark.at)
    const known = MARKS[mark.name]
    if (atMs === null || !known) continue
    const second = Math.floor(atMs / SECOND)
    const there = lines.get(second)
    lines.set(second, there ? { ...there, words: `${there.words}, ${known.words}` } : { atMs, ...known })
  }
  return [...lines.values()]
}

/** What led to it, and what followed, on a grid so it does not creep. */
function spanOf(incident: IncidentDetail, marks: Mark[]): Span {
  const openedMs = parseTime(incident.opened_at) ?? 0
  const startMs = Math.min(openedMs, ...incident.alerts.map((alert) => parseTime(alert.active_at) ?? openedMs), ...marks.map(({ atMs }) => atMs))
  const grid = (ms: number) => Math.ceil(ms / GRID_MS) * GRID_MS
  const endMs = parseTime(incident.resolved_at) ?? grid(now.peek())
  const around = Math.max(10 * MINUTE, (endMs - startMs) / 4)
  const toMs = incident.resolved_at ? Math.min(grid(now.peek()), endMs + around) : endMs
  return { fromMs: grid(startMs - around), toMs: grid(toMs) }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(3)}%`
}

interface Stretch { from: number; to: number; tone: string; title: string; words?: string }

function Lane({ name, bars = [], points = [] }: { name: string; bars?: Stretch[]; points?: { at: number; title: string }[] }) {
  return (
    <div class="lane-row">
      <span class="lane-name">{name}</span>
      <div class="lane-track">
        {bars.map((bar, i) => <i key={i} class={`lane-bar ${bar.tone}`} data-words={bar.words} title={bar.title} style={{ left: percent(bar.from), width: percent(bar.to - bar.from) }} />)}
        {points.map((point, i) => <i key={i} class="lane-point" title={point.title} style={{ left: percent(point.at) }} />)}
      </div>
    </div>
  )
}

function stretch(what: string, from: string | null, to: string | null, tone: string, span: Span): Stretch[] {
  const fromMs = parseTime(from)
  const bar = fromMs === null ? null : barOf(fromMs, parseTime(to), span)
  return bar && fromMs !== null ? [{ ...bar, tone, title: `${what}: ${formatExact(fromMs, zone.value)} ${to ? `to ${formatExact(parseTime(to) ?? 0, zone.value)}` : 'and still'}` }] : []
}

function alertBars(alert: IncidentAlert, span: Span): Stretch[] {
  const which = alert.labels['instance'] ?? alert.labels['service'] ?? ''
  const name = which ? `${alert.name} ${which}` : alert.name
  const firing = stretch(`${name} firing`, alert.fired_at, alert.resolved_at, 'firing', span).map((bar) => ({ ...bar, words: name }))
  return [...stretch(`${name} pending`, alert.active_at, alert.fired_at, 'pending', span), ...firing]
}

const impactLane = (impacts: RecordImpact[], span: Span): Stretch[] => impacts.flatMap(({ scope, start, end }) => stretch(`impact on ${scope}`, start.at, end.at, 'impact', span))

function changePoints(related: Related | undefined, span: Span) {
  return (related?.changes ?? []).flatMap((change) => {
    const atMs = parseTime(change.occurred_at) ?? 0
    const at = shareOf(atMs, span)
    return at === null ? [] : [{ at, title: `${formatExact(atMs, zone.value)} ${change.text}` }]
  })
}

function ClockScale({ span }: { span: Span }) {
  return <div class="lane-scale" aria-hidden="true">{[0, 0.25, 0.5, 0.75, 1].map((share) => <span key={share}>{formatClock(span.fromMs + share * (span.toMs - span.fromMs), zone.value).slice(0, 5)}</span>)}</div>
}

function Lanes({ incident, marks, record, related, span, onPick }: { incident: IncidentDetail; marks: Mark[]; record: RecordMarks | undefined; related: Related | undefined; span: Span; onPick: (atMs: number) => void }) {
  const box = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(0)
  useEffect(() => {
    const track = box.current
    if (!track) return undefined
    const watch = new ResizeObserver(() => setWidth(Math.floor(track.clientWidth)))
    watch.observe(track)
    return () => watch.disconnect()
  }, [])
  const placed = placeMarks(marks, span, width)
  const rows = Math.max(0, ...placed.map(({ row }) => row + 1))
  const impacts = impactLane(record?.impacts ?? [], span)
  const changes = changePoints(related, span)
  const pick = (event: MouseEvent) => {
    const track = box.current?.getBoundingClientRect()
    if (!track || event.clientX < track.left || event.clientX > track.right) return
    onPick(span.fromMs + ((event.clientX - track.left) / track.width) * (span.toMs - span.fromMs))
  }
  return (
    <div class="lanes-of" role="img" aria-label={marks.length === 0 ? 'No moment is known yet' : [...marks].sort((a, b) => a.atMs - b.atMs).map((mark) => `${mark.words} ${formatExact(mark.atMs, zone.value)}`).join('; ')} onClick={pick}>
      <div class="lane-marks" ref={box} style={{ height: `${rows * 17 + 3}px` }}>
        {width > 0 && placed.map(({ mark, at, row, toLeft }) => (
          <span key={mark.words} class={`lane-mark ${mark.tone}${toLeft ? ' to-left' : ''}`} title={`${mark.words}: ${formatExact(mark.atMs, zone.value)}`} style={{ [toLeft ? 'right' : 'left']: percent(toLeft ? 1 - at : at), maxWidth: percent(toLeft ? at : 1 - at), top: `${row * 17}px` }}>{mark.words}</span>
        ))}
      </div>
      <div class="lane-lines" aria-hidden="true">{placed.map(({ mark, at, row }) => <i key={mark.words} class={mark.tone} style={{ left: percent(at), top: `${row * 17 + 2}px` }} />)}</div>
      {impacts.length > 0 && <Lane name="Impact" bars={impacts} />}
      {incident.alerts.slice(0, ALERTS_MAX).map((alert, i) => <Lane key={i} name={i > 0 ? '' : incident.alerts.length > 1 ? 'Alerts' : 'Alert'} bars={alertBars(alert, span)} />)}
      {changes.length > 0 && <Lane name="Changes" points={changes} />}
    </div>
  )
}

/** What a responder looked at is part of the record; whether it could be written is not their worry. */
function looked(key: string, expr: string): void {
  if (may('operate')) void addRow(key, { kind: 'query.run', text: expr, evidence: { query: expr } }).catch(() => undefined)
}

/** An instant vector's threshold is drawn over its left side, narrowed to this alert's series. */
export function HappenedPanel({ incident, related, onPick }: { incident: IncidentDetail; related: Related | undefined; onPick: (atMs: number) => void }) {
  const record = useData<RecordMarks>(marksPath(incident.key), ['incident'], 30_000).value
  const byExpr = new Map<string, IncidentAlert>()
  for (const alert of incident.alerts) if (alert.expr && !byExpr.has(alert.expr)) byExpr.set(alert.expr, alert)
  const over = incident.resolved_at !== null
  const tick = useComputed(() => (over ? 0 : Math.floor(now.value / GRID_MS))).value // drawn every 15 s, not every second
  const marks = linesOf(record)
  const span = spanOf(incident, marks)
  const graphs = [...byExpr.values()].slice(0, GRAPHS_MAX)
  const plain = marks.map((mark) => ({ ...mark, words: '' }))
  return (
    <Panel label="What happened, and when" id="happened">
      <Lanes incident={incident} marks={marks} record={record} related={related} span={span} onPick={onPick} />
      {graphs.map((alert) => {
        const expr = alert.left ?? alert.expr
        const link = `/explore?expr=${encodeURIComponent(expr)}&from=${new Date(span.fromMs).toISOString()}&to=${new Date(span.toMs).toISOString()}`
        return (
          <div key={alert.expr} class="signal">
            <p class="signal-head"><b>{alert.name}</b> <span class="mono">{alert.expr}{alert.for_ms > 0 && <span class="dim"> for {formatDuration(alert.for_ms)}</span>}</span>
              <a href={link} onClick={() => looked(incident.key, expr)}>Explore<span class="hidden"> {alert.name}</span></a></p>
            <ExpressionChart expr={expr} {...span} whole tick={tick} what={alert.name} threshold={alert.left ? alert.threshold : null}
                             marks={plain} height={graphs.length > 1 ? 150 : 220} onPick={onPick} />
          </div>
        )
      })}
      {graphs.length === 0 && <ClockScale span={span} />}
    </Panel>
  )
}

export function useRelated(incidentKey: string): Related | undefined {
  return useData<Related>(`${incidentPath(incidentKey)}/related`, ['incident', 'change', 'service'], 60_000).value
}
