// uPlot, dressed: our colours, a threshold line, marks for what happened, a cursor one can read.
// Loaded when the first chart is shown; everything else reaches it through ui chart.tsx.

import uPlot from 'uplot'
import type { Columns } from '../lib/matrix.ts'
import type { Zone } from '../lib/time.ts'
import { formatClock, formatDay, formatExact } from '../lib/time.ts'
import { formatValue } from '../lib/number.ts'

export interface Mark { atMs: number; words: string; tone: 'bad' | 'warn' | 'ok' | 'accent' }

export interface PlotInput {
  times: number[]
  values: (number | null)[][]
  names: string[]
  threshold: number | null
  marks: Mark[]
  zone: Zone
  width: number
  height: number
  onZoom?: (fromMs: number, toMs: number) => void
  onPick?: (atMs: number) => void
  /** What the axis of time shows, whatever there is of samples: charts below each other agree. */
  span?: { fromMs: number; toMs: number }
  /** Around the values, which are means of so long. */
  band?: NonNullable<Columns['band']>
}

/** Above so many, bands hide each other and the lines. */
const BANDS_MAX = 8

/** light-dark() is resolved by painting it: custom properties keep the function as text. */
function colour(name: string): string {
  const probe = document.createElement('i')
  probe.style.color = `var(${name})`
  document.body.append(probe)
  const value = getComputedStyle(probe).color
  probe.remove()
  return value
}

/** The same, to be seen through: colours are computed as rgb(). */
function faint(name: string, alpha: number): string {
  return colour(name).replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`)
}

function drawThreshold(u: uPlot, threshold: number, stroke: string, back: string): void {
  const y = Math.round(u.valToPos(threshold, 'y', true))
  const { left, top, width, height } = u.bbox
  if (y < top || y > top + height) return
  const { ctx } = u
  const words = `threshold ${formatValue(threshold)}`
  ctx.save()
  ctx.strokeStyle = stroke
  ctx.lineWidth = devicePixelRatio * 1.5
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio])
  ctx.beginPath()
  ctx.moveTo(left, y)
  ctx.lineTo(left + width, y)
  ctx.stroke()
  ctx.setLineDash([])
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`
  ctx.textAlign = 'left'
  const wide = ctx.measureText(words).width
  const below = y - top < 18 * devicePixelRatio
  const base = below ? y + 14 * devicePixelRatio : y - 5 * devicePixelRatio
  ctx.fillStyle = back
  ctx.fillRect(left + 2 * devicePixelRatio, base - 11 * devicePixelRatio, wide + 6 * devicePixelRatio, 14 * devicePixelRatio)
  ctx.fillStyle = stroke
  ctx.fillText(words, left + 5 * devicePixelRatio, base)
  ctx.restore()
}

/** All lines first, then the words on top: a word is never struck through. */
function drawMarks(u: uPlot, marks: readonly Mark[], colours: Record<string, string>, back: string): void {
  const { left, top, width, height } = u.bbox
  const { ctx } = u
  const px = devicePixelRatio
  const shown = marks
    .map((mark) => ({ ...mark, x: Math.round(u.valToPos(mark.atMs / 1000, 'x', true)), colour: colours[mark.tone] ?? '#888' }))
    .filter((mark) => mark.x >= left && mark.x <= left + width)
  ctx.save()
  ctx.font = `600 ${11 * px}px system-ui, sans-serif`
  ctx.textAlign = 'left'
  ctx.lineWidth = 1.5 * px
  for (const mark of shown) {
    ctx.strokeStyle = mark.colour
    ctx.beginPath()
    ctx.moveTo(mark.x, top)
    ctx.lineTo(mark.x, top + height)
    ctx.stroke()
  }
  const taken: { from: number; to: number; row: number }[] = []
  for (const mark of shown.filter(({ words }) => words)) {
    const wide = ctx.measureText(mark.words).width + 8 * px
    const from = mark.x + wide > left + width ? mark.x - wide - px : mark.x + px
    let row = 0
    while (taken.some((one) => one.row === row && one.from < from + wide && from < one.to)) row++
    taken.push({ from, to: from + wide, row })
    const y = top + row * 17 * px
    ctx.fillStyle = back
    ctx.fillRect(from, y, wide, 15 * px)
    ctx.fillStyle = mark.colour
    ctx.fillText(mark.words, from + 4 * px, y + 11.5 * px)
  }
  ctx.restore()
}

/** The moment, or the step that a point stands for. */
function cursorTime(ms: number, { band, zone }: PlotInput): string {
  if (!band) return formatExact(ms, zone)
  const half = band.stepS * 500
  const [from, to] = [ms - half, ms + half]
  const clock = (at: number) => formatClock(at, zone).slice(0, 5)
  const sameDay = formatDay(from, zone) === formatDay(to, zone)
  return `${formatDay(from, zone)} ${clock(from)} to ${sameDay ? '' : `${formatDay(to, zone).slice(5)} `}${clock(to)}${zone === 'utc' ? ' UTC' : ''}`
}

function cursorValue(value: number, { band }: PlotInput, series: number, i: number): string {
  const low = band?.lows[series]?.[i] ?? value
  const high = band?.highs[series]?.[i] ?? value
  return low === high ? formatValue(value) : `${formatValue(value)} (${formatValue(low)} to ${formatValue(high)})`
}

/** The band's edges first, so that the lines are drawn on top of it. */
function edgesOf({ band, values }: PlotInput): (number | null)[][] {
  return band && values.length <= BANDS_MAX ? values.flatMap((_, i) => [band.highs[i] ?? [], band.lows[i] ?? []]) : []
}

/** A box beside the cursor: the time, and the nearest values. */
function cursorBox(now: { input: PlotInput }, box: HTMLElement) {
  return (u: uPlot) => {
    const { input } = now
    const i = u.cursor.idx
    if (i === null || i === undefined || (u.cursor.left ?? -1) < 0) {
      box.hidden = true
      return
    }
    const at = input.times[i] ?? 0
    const lines = input.values
      .map((column, s) => ({ s, value: column[i] ?? null }))
      .filter((one) => one.value !== null)
      .sort((a, b) => (b.value ?? 0) - (a.value ?? 0))
    box.replaceChildren()
    const head = document.createElement('b')
    head.textContent = cursorTime(at * 1000, input)
    box.append(head)
    for (const { s, value } of lines.slice(0, 8)) {
      const line = document.createElement('span')
      const dot = document.createElement('i')
      dot.style.background = colour(`--series-${(s % 8) + 1}`)
      const name = document.createElement('em')
      name.textContent = input.names[s] ?? ''
      const number = document.createElement('strong')
      number.textContent = cursorValue(value ?? 0, input, s, i)
      line.append(dot, name, number)
      box.append(line)
    }
    if (lines.length > 8) box.append(`and ${lines.length - 8} more`)
    box.hidden = false
    const x = u.cursor.left ?? 0
    const toLeft = x > u.over.clientWidth / 2
    box.style.left = toLeft ? '' : `${u.over.offsetLeft + x + 14}px`
    box.style.right = toLeft ? `${(u.root.clientWidth || input.width) - u.over.offsetLeft - x + 14}px` : ''
  }
}

/** Axis times: the clock, and the day where a day begins. */
function tickWords(zone: Zone) {
  return (_: uPlot, splits: number[], __: number, ___: number, stepS: number): string[] =>
    splits.map((s, i) => {
      const day = formatDay(s * 1000, zone)
      const clock = formatClock(s * 1000, zone)
      if (stepS >= 86_400) return day.slice(5)
      const newDay = i > 0 && formatDay((splits[i - 1] ?? s) * 1000, zone) !== day
      return newDay || clock === '00:00:00' ? day.slice(5) : stepS < 60 ? clock : clock.slice(0, 5)
    })
}

export interface Plot {
  /** The same chart with newer data and marks: nothing under the pointer goes away. */
  update: (input: PlotInput) => void
  end: () => void
}

export function plot(target: HTMLElement, input: PlotInput): Plot {
  const now = { input }
  const ink = colour('--ink-3')
  const grid = colour('--line')
  const back = colour('--surface')
  const tones = { bad: colour('--bad'), warn: colour('--warn'), ok: colour('--ok'), accent: colour('--accent') }
  const box = document.createElement('div')
  box.className = 'cursor-box'
  box.hidden = true
  const font = '11px system-ui, sans-serif'
  const edges = edgesOf(input)
  const axis = { stroke: ink, font, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: 4 } }
  const u = new uPlot({
    width: input.width,
    height: input.height,
    legend: { show: false },
    padding: [8, 12, 0, 0],
    cursor: { y: false, sync: { key: 'time' }, drag: { x: input.onZoom !== undefined, y: false, setScale: false }, points: { size: (_, s) => (s > edges.length ? 7 : 0) } },
    tzDate: (s) => (input.zone === 'utc' ? uPlot.tzDate(new Date(s * 1000), 'Etc/UTC') : new Date(s * 1000)),
    scales: {
      ...(input.span ? { x: { range: (): [number, number] => [(now.input.span?.fromMs ?? 0) / 1000, (now.input.span?.toMs ?? 0) / 1000] } } : {}),
      y: { range: (_, min, max) => {
        const low = Math.min(min ?? 0, now.input.threshold ?? Infinity)
        const high = Math.max(max ?? 1, now.input.threshold ?? -Infinity)
        const room = (high - low || Math.abs(high) || 1) * 0.08
        return [low >= 0 && low - room < 0 ? 0 : low - room, high + room]
      } },
    },
    axes: [
      { ...axis, size: 32, values: tickWords(input.zone), space: 70 },
      { ...axis, size: 56, values: (_, splits) => splits.map((value) => formatValue(value)) },
    ],
    bands: input.values.slice(0, edges.length / 2).map((_, i) => ({ series: [2 * i + 1, 2 * i + 2] as [number, number], fill: faint(`--series-${(i % 8) + 1}`, edges.length > 2 ? 0.22 : 0.28) })),
    series: [{}, ...edges.map(() => ({ stroke: 'transparent', width: 0, points: { show: false } })), ...input.values.map((_, i) => ({
      stroke: colour(`--series-${(i % 8) + 1}`),
      width: 1.75,
      dash: i >= 8 ? [6, 3] : [],
      spanGaps: false,
      points: { show: input.times.length < 30 },
    }))],
    hooks: {
      setCursor: [cursorBox(now, box)],
      setSelect: [(self) => {
        if (self.select.width < 8 || !now.input.onZoom) return
        const fromMs = self.posToVal(self.select.left, 'x') * 1000
        const toMs = self.posToVal(self.select.left + self.select.width, 'x') * 1000
        self.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false)
        now.input.onZoom(fromMs, toMs)
      }],
      draw: [(self) => {
        if (now.input.threshold !== null) drawThreshold(self, now.input.threshold, tones.bad, back)
        drawMarks(self, now.input.marks, tones, back)
      }],
    },
  }, [input.times, ...edges, ...input.values] as uPlot.AlignedData, target)
  target.append(box)
  u.over.addEventListener('click', () => {
    const i = u.cursor.idx
    if (i !== null && i !== undefined) now.input.onPick?.((now.input.times[i] ?? 0) * 1000)
  })
  return {
    update: (next) => {
      now.input = next
      u.setData([next.times, ...edgesOf(next), ...next.values] as uPlot.AlignedData)
    },
    end: () => {
      u.destroy()
      box.remove()
    },
  }
}
