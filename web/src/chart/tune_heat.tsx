// Every setting at once: thresholds upwards, `for` to the right, warmer where more alerts fire. Lines
// go around the cells that find an incident; inside is found. Arrow keys walk, a click jumps.

import type { ReadonlySignal, Signal } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import { isDark } from '../app/settings.ts'
import { formatDuration } from '../lib/time.ts'
import { cellAt, contour, forMs, heat, type Model, type Readout, type Setting, settingWords, type Tuning } from '../lib/tune.ts'
import { hand } from './hand.ts'
import { contextOf, faint, ink } from './ink.ts'

const LEFT = 52
const BOTTOM = 22
const CONTOURS_MAX = 12

interface Grid { width: number; height: number; rows: number; columns: number; isUp: boolean }
const cellW = (g: Grid) => (g.width - LEFT - 4) / g.columns
const cellH = (g: Grid) => (g.height - BOTTOM - 4) / g.rows
/** The row from the top: high values lie high, whichever way the rule compares. */
const rowOf = (g: Grid, j: number) => (g.isUp ? g.rows - 1 - j : j)
const middle = (g: Grid, j: number, k: number): [number, number] => [LEFT + (k + 0.5) * cellW(g), 4 + (rowOf(g, j) + 0.5) * cellH(g)]

function drawHeat(canvas: HTMLCanvasElement, model: Model, g: Grid, perWeek: number): void {
  const { answer } = model
  const ctx = contextOf(canvas, g.width, g.height)
  if (!ctx) return
  const w = cellW(g)
  const h = cellH(g)
  const most = Math.max(...answer.cells.alerts) * perWeek
  const none = ink('--raised')
  const shades = Array.from({ length: 17 }, (_, i) => faint('--series-2', 0.06 + (0.94 * i) / 16))
  for (let j = 0; j < g.rows; j++) {
    for (let k = 0; k < g.columns; k++) {
      const part = heat((answer.cells.alerts[cellAt(answer, j, k)] ?? 0) * perWeek, most)
      ctx.fillStyle = none
      ctx.fillRect(LEFT + k * w, 4 + rowOf(g, j) * h, w - 0.5, h - (h > 5 ? 0.5 : 0))
      if (part <= 0) continue
      ctx.fillStyle = shades[Math.round(part * 16)]!
      ctx.fillRect(LEFT + k * w, 4 + rowOf(g, j) * h, w - 0.5, h - (h > 5 ? 0.5 : 0))
    }
  }
  ctx.font = '11px system-ui, sans-serif'
  ctx.fillStyle = ink('--ink-3')
  ctx.textAlign = 'right'
  const every = Math.max(1, Math.ceil(18 / h))
  for (let j = 0; j < g.rows; j++) {
    if (model.choice.way !== 'presence' && (g.rows - 1 - j) % every === 0) ctx.fillText(String(answer.thresholds[j]), LEFT - 6, 4 + (rowOf(g, j) + 0.5) * h + 3.5)
  }
  ctx.textAlign = 'center'
  const skip = Math.max(1, Math.ceil(34 / w))
  for (let k = 0; k < g.columns; k += skip) ctx.fillText(formatDuration(forMs(answer, k)), LEFT + (k + 0.5) * w, g.height - 6)
  drawContours(ctx, model, g)
}

function drawContours(ctx: CanvasRenderingContext2D, model: Model, g: Grid): void {
  const { answer } = model
  const w = cellW(g)
  const h = cellH(g)
  ctx.lineWidth = 2
  ctx.strokeStyle = ink('--accent')
  // Incidents that the same cells find are one line.
  const seen = new Set<string>()
  for (const delays of answer.delays) {
    const lines = contour(g.rows, g.columns, (j, k) => (delays[cellAt(answer, j, k)] ?? -1) >= 0)
    const key = JSON.stringify(lines)
    if (lines.length === 0 || seen.has(key) || seen.size >= CONTOURS_MAX) continue
    ctx.setLineDash(seen.size % 2 ? [5, 3] : [])
    const inset = (seen.size % 3) * 1.2
    seen.add(key)
    ctx.beginPath()
    for (const [x1, y1, x2, y2] of lines) {
      const y = (row: number) => 4 + (g.isUp ? g.rows - row : row) * h
      ctx.moveTo(LEFT + x1 * w + inset, y(y1))
      ctx.lineTo(LEFT + x2 * w + inset, y(y2))
    }
    ctx.stroke()
  }
  ctx.setLineDash([])
}

/** What stands still: the rule as it is, and the suggestion. Where one is, is a frame of its own. */
function drawMarks(canvas: HTMLCanvasElement, g: Grid, { now, suggestion }: Tuning): void {
  const ctx = contextOf(canvas, g.width, g.height)
  if (!ctx) return
  const dark = ink('--ink')
  const light = ink('--surface')
  const outline = (draw: () => void) => {
    for (const [stroke, width] of [[light, 5], [dark, 2]] as const) {
      ctx.strokeStyle = stroke
      ctx.lineWidth = width
      ctx.beginPath()
      draw()
      ctx.stroke()
    }
  }
  const [nx, ny] = middle(g, now.threshold, now.for)
  outline(() => { ctx.moveTo(nx - 4, ny - 4); ctx.lineTo(nx + 4, ny + 4); ctx.moveTo(nx + 4, ny - 4); ctx.lineTo(nx - 4, ny + 4) })
  if (!suggestion) return
  const [sx, sy] = middle(g, suggestion.threshold, suggestion.for)
  outline(() => { for (let i = 0; i <= 5; i++) ctx[i ? 'lineTo' : 'moveTo'](sx + 6 * Math.sin((i * 4 * Math.PI) / 5), sy - 6 * Math.cos((i * 4 * Math.PI) / 5)) })
}

/** Where one is: moved, not drawn. */
function Here({ setting, grid }: { setting: Signal<Setting>; grid: Grid }) {
  const { j, k } = setting.value
  const [x, y] = middle(grid, j, k)
  const width = Math.max(cellW(grid), 12)
  const height = Math.max(cellH(grid), 12)
  return <i class="tune-here" style={{ width: `${width}px`, height: `${height}px`, transform: `translate(${x - width / 2}px, ${y - height / 2}px)` }} />
}

interface Props { model: Model; setting: Signal<Setting>; perWeek: number; read: ReadonlySignal<Readout> }

export function TuneHeat({ model, setting, perWeek, read }: Props) {
  const { answer } = model
  const box = useRef<HTMLDivElement>(null)
  const under = useRef<HTMLCanvasElement>(null)
  const over = useRef<HTMLCanvasElement>(null)
  const [width, setWidth] = useState(0)
  const rows = answer.thresholds.length
  const height = Math.min(340, Math.max(rows * 30, Math.min(rows * 12, 300), 70) + BOTTOM)
  const grid: Grid = { width: Math.max(width, 120), height, rows, columns: answer.for_steps.length, isUp: model.choice.op.startsWith('>') }
  const dark = isDark.value

  useEffect(() => {
    const target = box.current
    if (!target) return undefined
    const watch = new ResizeObserver(() => setWidth(Math.floor(target.clientWidth)))
    watch.observe(target)
    return () => watch.disconnect()
  }, [])
  useEffect(() => {
    if (width && under.current) drawHeat(under.current, model, grid, perWeek)
    if (width && over.current) drawMarks(over.current, grid, answer)
  }, [model, width, dark])

  const go = (j: number, k: number) => {
    setting.value = { ...setting.peek(), j: Math.max(0, Math.min(rows - 1, j)), k: Math.max(0, Math.min(grid.columns - 1, k)) }
  }
  const onKey = (event: KeyboardEvent) => {
    const { j, k } = setting.peek()
    const up = grid.isUp ? 1 : -1
    if (event.key === 'ArrowUp') go(j + up, k)
    else if (event.key === 'ArrowDown') go(j - up, k)
    else if (event.key === 'ArrowLeft') go(j, k - 1)
    else if (event.key === 'ArrowRight') go(j, k + 1)
    else if (event.key === 'Home') go(answer.now.threshold, answer.now.for)
    else if (event.key === 'End' && answer.suggestion) go(answer.suggestion.threshold, answer.suggestion.for)
    else return
    event.preventDefault()
  }
  const onPoint = (event: PointerEvent) => {
    const at = box.current?.getBoundingClientRect()
    if (!at || event.buttons !== 1) return
    const row = Math.floor((event.clientY - at.top - 4) / cellH(grid))
    const k = Math.floor((event.clientX - at.left - LEFT) / cellW(grid))
    if (row >= 0 && row < rows && k >= 0) go(grid.isUp ? rows - 1 - row : row, k)
  }
  return (
    <div class="tune-heat" ref={box} role="application" tabIndex={0} style={{ height: `${height}px` }}
         aria-roledescription="heat map" aria-label={`Alerts by threshold and for: ${rows} thresholds, ${grid.columns} times. Arrow keys walk; the read-outs follow`}
         onKeyDown={onKey} onLostPointerCapture={() => { hand.value = false }}
         onPointerDown={(event) => { hand.value = true; box.current?.setPointerCapture(event.pointerId); onPoint(event) }} onPointerMove={onPoint}>
      <canvas ref={under} class="tune-canvas" aria-hidden="true" />
      <canvas ref={over} class="tune-canvas" aria-hidden="true" />
      {width > 0 && <Here setting={setting} grid={grid} />}
      <span class="hidden" aria-live="off"><Now model={model} setting={setting} read={read} /></span>
    </div>
  )
}

function Now({ model, setting, read }: { model: Model; setting: Signal<Setting>; read: ReadonlySignal<Readout> }) {
  return <>{settingWords(model, setting.value)}: {read.value.alerts} alerts</>
}
