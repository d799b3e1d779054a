// A chart on the page: the picture, one sentence that says the same, and a table behind it.

import { useContext, useEffect, useRef, useState } from 'preact/hooks'
import { isDark, zone } from '../app/settings.ts'
import type { Columns } from '../lib/matrix.ts'
import { summarize } from '../lib/matrix.ts'
import { count, formatValue } from '../lib/number.ts'
import { formatSeries } from '../lib/promql.ts'
import { formatExact, type Zone } from '../lib/time.ts'
import { AskedOf } from './asked.ts'
import type { Mark, Plot, PlotInput } from './plot.ts'

interface Props {
  columns: Columns
  what: string
  /** What the picture is made of, when that is not the samples. */
  caption?: string
  threshold?: number | null
  marks?: Mark[]
  height?: number
  /** The axis of time when it is not that of the samples. */
  span?: { fromMs: number; toMs: number }
  onZoom?: (fromMs: number, toMs: number) => void
  onPick?: (atMs: number) => void
}

/** What distinguishes the series: labels they all share say nothing. */
function shortNames(labels: Record<string, string>[]): string[] {
  const first = labels[0] ?? {}
  const shared = new Set(Object.keys(first).filter((name) => labels.length > 1 && labels.every((one) => one[name] === first[name])))
  return labels.map((one) => formatSeries(Object.fromEntries(Object.entries(one).filter(([name]) => !shared.has(name)))))
}

/** Of a roll-up the extremes are those of its band. */
function summaries({ times, values, band }: Columns) {
  return values.map((column, i) => {
    const line = summarize(times, column)
    const low = line && summarize(times, band?.lows[i] ?? column)
    const high = line && summarize(times, band?.highs[i] ?? column)
    return line && low && high ? { ...high, min: low.min, last: line.last } : null
  })
}

function sentence({ columns, what, threshold, caption }: Props, shownZone: Zone): string {
  const all = summaries(columns).filter((one) => one !== null)
  if (all.length === 0) return `${what}: no data in this range`
  const top = all.reduce((a, b) => (b.max > a.max ? b : a))
  const line = threshold === null || threshold === undefined ? '' : `, threshold ${formatValue(threshold)}`
  return `${what}: ${count(all.length, 'series', 'series')}, at most ${formatValue(top.max)} at ${formatExact(top.maxAt * 1000, shownZone)}${line}${caption ? `. ${caption}` : ''}`
}

export function Chart(props: Props) {
  const { columns, threshold = null, marks = [], height = 240, caption = '', onZoom, onPick } = props
  const target = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(0)
  const names = shortNames(columns.labels)
  const dark = isDark.value
  const ownZone = useContext(AskedOf).zone
  const shownZone = ownZone ?? zone.value

  useEffect(() => {
    const box = target.current
    if (!box) return undefined
    const watch = new ResizeObserver(() => setWidth(Math.floor(box.clientWidth)))
    watch.observe(box)
    return () => watch.disconnect()
  }, [])

  const input: PlotInput = {
    times: columns.times, values: columns.values, names, threshold, marks, zone: shownZone, width, height,
    ...(onZoom ? { onZoom } : {}), ...(onPick ? { onPick } : {}), ...(columns.band ? { band: columns.band } : {}), ...(props.span ? { span: props.span } : {}),
  }
  const sums = summaries(columns)
  const latest = useRef(input)
  latest.current = input
  const drawn = useRef<Plot | null>(null)
  // A chart of another shape is made anew; newer data goes into the one that is there.
  useEffect(() => {
    const box = target.current
    if (!box || width === 0) return undefined
    let gone = false
    void import('./plot.ts').then(({ plot }) => {
      if (!gone) drawn.current = plot(box, latest.current)
    })
    return () => {
      gone = true
      drawn.current?.end()
      drawn.current = null
    }
  }, [width, height, dark, shownZone, columns.band !== undefined, names.join('\n')])
  useEffect(() => drawn.current?.update(latest.current), [columns, threshold, props.span?.toMs, JSON.stringify(marks)])

  return (
    <figure class="chart">
      <div class={`chart-box h${height}`} ref={target} role="img" aria-label={sentence(props, shownZone)} />
      {caption && <figcaption class="dim">{caption}</figcaption>}
      {columns.values.length > 0 && (
        <details class="chart-table">
          <summary>{count(columns.values.length, 'series', 'series')}{columns.omitted > 0 && `, ${columns.omitted} more not drawn`}</summary>
          <div class="scroll"><table class="list">
            <thead><tr><th>Series</th><th class="right">Least</th><th class="right">Most</th><th class="right">Last</th></tr></thead>
            <tbody>{sums.map((sum, i) => {
              return (
                <tr key={i}>
                  <td class="mono"><i class={`swatch s${(i % 8) + 1}`} />{names[i]}</td>
                  <td class="num right">{sum ? formatValue(sum.min) : 'none'}</td>
                  <td class="num right">{sum ? formatValue(sum.max) : 'none'}</td>
                  <td class="num right">{sum?.last === null || !sum ? 'none' : formatValue(sum.last)}</td>
                </tr>
              )
            })}</tbody>
          </table></div>
        </details>
      )}
    </figure>
  )
}
