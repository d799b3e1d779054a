// What a rule compares, over its past, with a threshold that is dragged.
//
//     bad     when it was bad; drawn once
//     back    would have fired: pending and firing, drawn anew in each frame of a drag
//     lines   least to greatest of the loudest series; drawn once
//     line    the threshold: a slider of its own, by pointer, finger and arrow keys
//
// A drag across labels a window; a click asks about its instant.

import type { Signal } from '@preact/signals'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { isDark, zone } from '../app/settings.ts'
import { count, formatValue } from '../lib/number.ts'
import { formatClock, formatDay, formatExact, formatShort } from '../lib/time.ts'
import { agesOf, bandsOf, FIRING, type Model, nearestThreshold, PENDING, sameSetting, type Setting, settingWords, timeAt, type ToldAlerts, type Window, withTold } from '../lib/tune.ts'
import { hand, outwards, useInFrame, whenIdle } from './hand.ts'
import { contextOf, faint, ink } from './ink.ts'

const LEFT = 52
const RIGHT = 10
const TOP = 22
const BOTTOM = 24
const STRIP = 14
const DRAG_PX = 5

export interface Scale { width: number; height: number; low: number; high: number; fromMs: number; toMs: number }
const plotW = (s: Scale) => s.width - LEFT - RIGHT
const plotH = (s: Scale) => s.height - TOP - BOTTOM - STRIP
const yOf = (s: Scale, value: number) => TOP + (1 - (value - s.low) / (s.high - s.low)) * plotH(s)
const valueOf = (s: Scale, y: number) => s.low + (1 - (y - TOP) / plotH(s)) * (s.high - s.low)
const xOf = (s: Scale, ms: number) => LEFT + ((ms - s.fromMs) / (s.toMs - s.fromMs)) * plotW(s)
const msOf = (s: Scale, x: number) => s.fromMs + (Math.min(1, Math.max(0, (x - LEFT) / plotW(s)))) * (s.toMs - s.fromMs)

function scaleOf(model: Model, width: number, height: number): Scale {
  const { answer } = model
  let low = Infinity
  let high = -Infinity
  for (const value of model.all?.least ?? []) if (Number.isFinite(value)) low = Math.min(low, value)
  for (const value of model.all?.greatest ?? []) if (Number.isFinite(value)) high = Math.max(high, value)
  if (model.choice.way === 'presence') [low, high] = [0, 1]
  // Nothing of it can be drawn: the thresholds are what there is to choose among.
  else if (low > high) for (const value of answer.thresholds) [low, high] = [Math.min(low, value), Math.max(high, value)]
  const own = answer.thresholds[answer.now.threshold] ?? 0
  low = Math.min(low, own)
  high = Math.max(high, own)
  const room = (high - low || Math.abs(high) || 1) * 0.06
  return { width, height, low: low >= 0 && low - room < 0 ? Math.min(0, low) : low - room, high: high + room, fromMs: timeAt(answer, answer.first_step), toMs: timeAt(answer, answer.n_steps) }
}

function ticks(low: number, high: number, most: number): number[] {
  const unit = 10 ** Math.floor(Math.log10((high - low) / most))
  const step = [1, 2, 5, 10].map((one) => one * unit).find((one) => (high - low) / one <= most) ?? unit * 10
  const list: number[] = []
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) list.push(Number(at.toPrecision(10)))
  return list
}

const TIMES = [60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400, 5 * 86400, 7 * 86400, 14 * 86400, 30 * 86400].map((s) => s * 1000)

function timeTicks(s: Scale): { x: number; words: string }[] {
  const step = TIMES.find((one) => (s.toMs - s.fromMs) / one <= plotW(s) / 78) ?? TIMES.at(-1)!
  const list: { x: number; words: string }[] = []
  const shift = zone.value === 'utc' ? 0 : new Date(s.fromMs).getTimezoneOffset() * 60_000
  for (let at = Math.ceil((s.fromMs - shift) / step) * step + shift; at < s.toMs; at += step) {
    list.push({ x: xOf(s, at), words: step >= 86_400_000 ? formatDay(at, zone.value).slice(5) : formatClock(at, zone.value).slice(0, 5) })
  }
  return list
}

function drawLines(canvas: HTMLCanvasElement, model: Model, s: Scale): void {
  const ctx = contextOf(canvas, s.width, s.height)
  if (!ctx) return
  ctx.font = '11px system-ui, sans-serif'
  ctx.strokeStyle = ink('--line')
  ctx.fillStyle = ink('--ink-3')
  ctx.lineWidth = 1
  if (model.choice.way !== 'presence') {
    ctx.textAlign = 'right'
    for (const value of ticks(s.low, s.high, Math.max(2, plotH(s) / 44))) {
      const y = Math.round(yOf(s, value)) + 0.5
      ctx.beginPath()
      ctx.moveTo(LEFT, y)
      ctx.lineTo(s.width - RIGHT, y)
      ctx.stroke()
      ctx.fillText(formatValue(value), LEFT - 8, y + 3.5)
    }
  }
  ctx.textAlign = 'center'
  for (const { x, words } of timeTicks(s)) if (x > LEFT + 14 && x < s.width - RIGHT - 14) ctx.fillText(words, x, s.height - 7)
  // A column is one pixel of the answer: a bar from its least to its greatest value, joined to the next.
  const n = model.nColumns
  ctx.lineJoin = 'round'
  for (let i = model.lines.length - 1; i >= 0; i--) {
    const { least, greatest } = model.lines[i]!
    ctx.strokeStyle = i < 8 ? ink(`--series-${i + 1}`) : ink('--line-strong')
    ctx.globalAlpha = model.lines.length > 3 ? 0.75 : 0.95
    ctx.lineWidth = 1.1
    ctx.beginPath()
    let open = false
    for (let c = 0; c < n; c++) {
      const low = least[c]!
      const high = greatest[c]!
      if (!Number.isFinite(low) || !Number.isFinite(high)) { open = false; continue }
      const x = LEFT + ((c + 0.5) / n) * plotW(s)
      if (open) ctx.lineTo(x, yOf(s, low))
      else ctx.moveTo(x, yOf(s, low))
      ctx.lineTo(x, yOf(s, high))
      open = true
    }
    ctx.stroke()
  }
  ctx.globalAlpha = 1
}

/** A hatch, so that a band is known without its colour. */
function hatch(ctx: CanvasRenderingContext2D, x: number, width: number, top: number, height: number): void {
  ctx.save()
  ctx.beginPath()
  ctx.rect(x, top, width, height)
  ctx.clip()
  ctx.beginPath()
  for (let at = x - height; at < x + width; at += 7) {
    ctx.moveTo(at, top + height)
    ctx.lineTo(at + height, top)
  }
  ctx.stroke()
  ctx.restore()
}

interface Inks { firing: string; firingSolid: string; pending: string; pendingSolid: string; incident: string; hatch: string; edge: string; gap: string }

/** When it was bad, and when nothing was collected: behind everything, and still while the threshold moves. */
function drawBad(canvas: HTMLCanvasElement, model: Model, s: Scale, inks: Inks): void {
  const ctx = contextOf(canvas, s.width, s.height)
  if (!ctx) return
  const placeOf = (one: { begin: string; end: string }): [number, number] => {
    const x = xOf(s, Math.max(s.fromMs, Date.parse(one.begin)))
    return [x, Math.max(2, xOf(s, Math.min(s.toMs, Date.parse(one.end))) - x)]
  }
  ctx.fillStyle = inks.gap
  for (const one of model.answer.gaps) {
    if (Date.parse(one.end) <= s.fromMs) continue
    const [x, width] = placeOf(one)
    ctx.fillRect(x, TOP, width, plotH(s))
  }
  for (const one of model.incidents) {
    const [x, width] = placeOf(one)
    ctx.fillStyle = inks.incident
    ctx.fillRect(x, TOP, width, plotH(s))
    ctx.strokeStyle = inks.hatch
    ctx.lineWidth = 1
    hatch(ctx, x, width, TOP, plotH(s))
    ctx.fillStyle = inks.edge
    ctx.fillRect(x, TOP - 4, width, 3)
  }
}

/** As many columns as the plot has pixels. */
const columnsOf = (s: Scale): number => Math.max(1, Math.floor(plotW(s)))

function drawBack(canvas: HTMLCanvasElement, model: Model, s: Scale, setting: Setting, told: ToldAlerts | null, inks: Inks): void {
  const ctx = contextOf(canvas, s.width, s.height)
  if (!ctx) return
  const height = plotH(s)
  const n = columnsOf(s)
  const ofRuns = bandsOf(model, setting, n)
  const bands = told && sameSetting(told.setting, setting) ? withTold(ofRuns, model, told) : ofRuns
  const strip = s.height - BOTTOM - STRIP + 2
  for (const [what, wide, narrow, at, tall] of [[PENDING, inks.pending, inks.pendingSolid, strip + 6, 4], [FIRING, inks.firing, inks.firingSolid, strip, 10]] as const) {
    const columns = new Path2D()
    const below = new Path2D()
    for (let from = 0; from < n; from++) {
      if (bands[from] !== what) continue
      let to = from + 1
      while (to < n && bands[to] === what) to++
      columns.rect(LEFT + from, TOP, to - from, height)
      below.rect(LEFT + from, at, Math.max(1.4, to - from), tall)
      from = to
    }
    ctx.fillStyle = wide
    ctx.fill(columns)
    ctx.fillStyle = narrow
    ctx.fill(below)
  }
}

const TAG_PX = 26

/** The incidents' numbers, above where each was; what would lie over each other is one: "2–5". */
function tagsOf(model: Model, s: Scale): { x: number; words: string; title: string }[] {
  const tags: { x: number; from: number; to: number; title: string }[] = []
  model.incidents.forEach((one, i) => {
    const x = xOf(s, Math.max(s.fromMs, (Date.parse(one.begin) + Math.min(s.toMs, Date.parse(one.end))) / 2))
    const last = tags.at(-1)
    const title = one.title ?? one.key ?? ''
    if (last && Math.abs(x - last.x) < TAG_PX) {
      last.to = i + 1
      last.title += `; ${title}`
    } else tags.push({ x, from: i + 1, to: i + 1, title })
  })
  return tags.map(({ x, from, to, title }) => ({ x: Math.min(x, s.width - 22), title, words: from === to ? String(from) : `${from}–${to}` }))
}

interface Props {
  model: Model
  setting: Signal<Setting>
  height: number
  told: ToldAlerts | null
  atMs: number | null
  onWindow: (window: Window) => void
  onPick: (atMs: number) => void
}

/** The line itself: only it follows the threshold, the rest of the picture stands still. */
function Line({ model, setting, scale }: { model: Model; setting: Signal<Setting>; scale: Scale }) {
  const { answer } = model
  const { j } = setting.value
  const value = answer.thresholds[j] ?? 0
  const dragging = useRef(false)
  const grab = useRef<HTMLDivElement>(null)
  const set = (to: number) => {
    const next = Math.max(0, Math.min(answer.thresholds.length - 1, to))
    if (next !== setting.peek().j) setting.value = { ...setting.peek(), j: next }
  }
  const up = model.choice.op.startsWith('>') ? 1 : -1 // thresholds go from the easiest on
  const onKey = (event: KeyboardEvent) => {
    const by: Record<string, number> = { ArrowUp: up, ArrowRight: up, ArrowDown: -up, ArrowLeft: -up, PageUp: 5 * up, PageDown: -5 * up }
    if (event.key in by) set(j + by[event.key]!)
    else if (event.key === 'Home') set(answer.now.threshold)
    else return
    event.preventDefault()
  }
  const onMove = (event: PointerEvent) => {
    if (!dragging.current) return
    event.stopPropagation() // the time under the pointer is not what one looks at
    const box = grab.current?.parentElement?.getBoundingClientRect()
    if (box) set(nearestThreshold(answer, valueOf(scale, event.clientY - box.top)))
  }
  const y = Math.min(Math.max(yOf(scale, value), TOP), TOP + plotH(scale))
  const values = [answer.thresholds[0] ?? 0, answer.thresholds.at(-1) ?? 0]
  return (
    <div ref={grab} class="tune-line" role="slider" tabIndex={0} aria-label="Threshold" aria-orientation="vertical"
         aria-valuemin={Math.min(...values)} aria-valuemax={Math.max(...values)} aria-valuenow={value} aria-valuetext={settingWords(model, setting.value)}
         style={{ transform: `translateY(${y}px)` }} onKeyDown={onKey}
         onPointerDown={(event) => { dragging.current = hand.value = true; grab.current?.setPointerCapture(event.pointerId); event.stopPropagation() }}
         onPointerMove={onMove}
         onLostPointerCapture={() => { dragging.current = hand.value = false }}>
      <span class="tune-tag">{model.choice.way === 'one' || model.choice.way === 'again' ? `${model.choice.op} ${value}` : `× ${value}`}</span>
    </div>
  )
}

function sentence(model: Model): string {
  const least = Math.min(...(model.all?.least ?? []).filter(Number.isFinite))
  const most = Math.max(...(model.all?.greatest ?? []).filter(Number.isFinite))
  const range = Number.isFinite(most) ? `, ${formatValue(least)} to ${formatValue(most)}` : ''
  return `${model.choice.expr ?? model.answer.rule.expr}: ${count(model.answer.n_series, 'series', 'series')}${range}; ${count(model.incidents.length, 'incident')} marked; shaded where it would have fired, which the table below lists`
}

export function TuneGraph({ model, setting, height, told, atMs, onWindow, onPick }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const bad = useRef<HTMLCanvasElement>(null)
  const back = useRef<HTMLCanvasElement>(null)
  const lines = useRef<HTMLCanvasElement>(null)
  const inks = useRef<Inks | null>(null)
  const [width, setWidth] = useState(0)
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null)
  const [hover, setHover] = useState<number | null>(null)
  const dark = isDark.value
  const shownZone = zone.value
  const scale = useMemo(() => scaleOf(model, Math.max(width, LEFT + RIGHT + 10), height), [model, width, height])

  useEffect(() => {
    const target = box.current
    if (!target) return undefined
    const watch = new ResizeObserver(() => setWidth(Math.floor(target.clientWidth)))
    watch.observe(target)
    return () => watch.disconnect()
  }, [])
  useEffect(() => {
    inks.current = { firing: faint('--bad-solid', 0.28), firingSolid: ink('--bad-solid'), pending: faint('--warn-solid', 0.22), pendingSolid: ink('--warn-solid'), incident: faint('--accent-solid', 0.13), hatch: faint('--accent-solid', 0.4), edge: ink('--accent-solid'), gap: faint('--ink-3', 0.22) }
    if (lines.current && width) drawLines(lines.current, model, scale)
    if (bad.current && width) drawBad(bad.current, model, scale, inks.current)
    if (back.current && width) drawBack(back.current, model, scale, setting.peek(), told, inks.current)
  }, [model, width, height, dark, shownZone, told])
  // What the hand will come to is reckoned while it rests, from where it is outwards.
  useEffect(() => (width ? whenIdle(outwards(setting.peek().j, model.answer.thresholds.length), (j) => { agesOf(model, j, columnsOf(scale)) }) : undefined), [model, width])
  useInFrame(setting, (now) => {
    if (back.current && inks.current && width) drawBack(back.current, model, scale, now, told, inks.current)
  })

  const words = useMemo(() => sentence(model), [model])
  const tags = useMemo(() => tagsOf(model, scale), [model, scale])
  const at = (event: PointerEvent) => event.clientX - (box.current?.getBoundingClientRect().left ?? 0)
  const down = (event: PointerEvent) => {
    if (event.button !== 0 || event.pointerType === 'touch') return
    setDrag({ from: at(event), to: at(event) })
    box.current?.setPointerCapture(event.pointerId)
  }
  const up = (event: PointerEvent) => {
    const from = drag?.from
    setDrag(null)
    if (from === undefined) { if (event.pointerType === 'touch') onPick(msOf(scale, at(event))); return }
    const to = at(event)
    if (Math.abs(to - from) < DRAG_PX) onPick(msOf(scale, to))
    else onWindow({ fromMs: msOf(scale, Math.min(from, to)), toMs: msOf(scale, Math.max(from, to)) })
  }
  const hasLine = model.choice.way !== 'presence' && model.answer.thresholds.length > 0
  const left = drag ? Math.min(drag.from, drag.to) : 0
  return (
    <div class="tune-graph" ref={box} style={{ height: `${height}px` }}
         onPointerDown={down} onPointerUp={up} onPointerCancel={() => setDrag(null)} onPointerLeave={() => setHover(null)}
         onPointerMove={(event) => { if (drag) setDrag({ from: drag.from, to: at(event) }); else setHover(at(event)) }}>
      <canvas ref={bad} class="tune-canvas" aria-hidden="true" />
      <canvas ref={back} class="tune-canvas" aria-hidden="true" />
      <canvas ref={lines} class="tune-canvas" role="img" aria-label={words} />
      {tags.map((tag) => <span key={tag.words} class="tune-incident" title={tag.title} style={{ left: `${tag.x}px` }}>{tag.words}</span>)}
      {atMs !== null && atMs >= scale.fromMs && atMs <= scale.toMs && <i class="tune-at" style={{ left: `${xOf(scale, atMs)}px` }} />}
      {hover !== null && hover > LEFT && hover < width - RIGHT && !drag && <span class="tune-hover" style={{ left: `${Math.min(hover, width - 60)}px` }}>{formatShort(msOf(scale, hover), Date.now(), shownZone)}</span>}
      {drag && Math.abs(drag.to - drag.from) >= DRAG_PX && <i class="tune-window" style={{ left: `${left}px`, width: `${Math.abs(drag.to - drag.from)}px` }} title={formatExact(msOf(scale, left), shownZone)} />}
      {hasLine && width > 0 && <Line model={model} setting={setting} scale={scale} />}
    </div>
  )
}
