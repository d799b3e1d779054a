// Explore: ask PromQL freely. The address holds the question, so a link is the answer.

import { useContext, useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, call, may, prom } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { useKey } from '../app/keyboard.ts'
import { query, setQuery } from '../app/router.ts'
import { zone } from '../app/settings.ts'
import type { PromResult } from '../app/types.ts'
import { AskedOf } from '../chart/asked.ts'
import { ExpressionChart, stepsOf } from '../chart/expression.tsx'
import { count, formatValue } from '../lib/number.ts'
import { caretLine, errorPlace, formatSeries, offsetOf } from '../lib/promql.ts'
import { formatExact, formatTook, parseRange } from '../lib/time.ts'
import { Icon } from '../ui/icon.tsx'
import { Chips, Empty, Page, Panel, Waiting } from '../ui/parts.tsx'
import { Explain } from './explain.tsx'

const HISTORY_MAX = 30
const ROWS_MAX = 500
const RANGES = ['15m', '1h', '6h', '24h', '7d', '30d', '1y']

function readHistory(): string[] {
  try {
    const list = JSON.parse(localStorage.getItem('explore history') ?? '[]') as unknown
    return Array.isArray(list) ? list.filter((one): one is string => typeof one === 'string') : []
  } catch {
    return []
  }
}

function remember(expr: string): string[] {
  const list = [expr, ...readHistory().filter((one) => one !== expr)].slice(0, HISTORY_MAX)
  localStorage.setItem('explore history', JSON.stringify(list))
  return list
}

export function QueryError({ error, expr }: { error: ApiError; expr: string }) {
  const place = errorPlace(error.message)
  const caret = place && caretLine(expr, place)
  return (
    <div class="trouble query-error" role="alert">
      <Icon name="alarm" />
      <div>
        <p><b>{place ? `Line ${place.line}, column ${place.column}: ` : ''}</b>{place ? place.message : error.message}</p>
        {caret && <pre class="caret" aria-hidden="true">{caret.line}{'\n'}{' '.repeat(caret.indent)}^</pre>}
      </div>
    </div>
  )
}

function Table({ answer }: { answer: PromResult }) {
  if (answer.resultType === 'scalar' || answer.resultType === 'string') return <p class="scalar num">{answer.resultType === 'scalar' ? formatValue(answer.result[1]) : answer.result[1]}</p>
  const rows = answer.resultType === 'vector'
    ? answer.result.map((one) => ({ metric: one.metric, value: formatValue(one.value[1]), exact: one.value[1] }))
    : answer.resultType === 'matrix'
      ? answer.result.map((one) => ({ metric: one.metric, value: `${one.values.length} samples, last ${formatValue(one.values.at(-1)?.[1] ?? 'NaN')}`, exact: '' }))
      : []
  if (rows.length === 0) return <Empty icon="explore" title="No series at this moment"><p>The expression is fine, but nothing matches it now. Is the metric name right? A comparison like <code>&gt; 0.9</code> leaves nothing when it is false.</p></Empty>
  return (
    <div class="scroll">
      <table class="list">
        <thead><tr><th>Series</th><th class="right">Value</th></tr></thead>
        <tbody>{rows.slice(0, ROWS_MAX).map((row, i) => <tr key={i}><td class="mono wrap">{formatSeries(row.metric)}</td><td class="num right" title={row.exact}>{row.value}</td></tr>)}</tbody>
      </table>
      {rows.length > ROWS_MAX && <p class="foot dim">The first {ROWS_MAX} of {rows.length.toLocaleString('en')}.</p>}
    </div>
  )
}

/** The instant answer: asked when the question or its time changes. */
export function Instant({ expr, atMs, tick, onError }: { expr: string; atMs: number; tick: number; onError: (error: ApiError) => void }) {
  const { base, zone: ownZone } = useContext(AskedOf)
  const [answer, setAnswer] = useState<{ data: PromResult; tookMs: number } | null>(null)
  useEffect(() => {
    const asked = new AbortController()
    const began = performance.now()
    setAnswer(null)
    prom<PromResult>('query', { query: expr, time: String(atMs / 1000) }, { signal: asked.signal, base })
      .then((data) => setAnswer({ data, tookMs: performance.now() - began }))
      .catch((error: ApiError) => { if (error.type !== 'cancelled') onError(error) })
    return () => asked.abort()
  }, [expr, atMs, tick])
  if (!answer) return <Waiting />
  const n = answer.data.resultType === 'vector' || answer.data.resultType === 'matrix' ? answer.data.result.length : 1
  return <><Table answer={answer.data} /><p class="foot dim">{count(n, 'series', 'series')} at {formatExact(atMs, ownZone ?? zone.value)}, {formatTook(answer.tookMs)}</p></>
}

/** The word under the cursor, and the names that begin with it. */
function useCompletion(text: string, caret: number) {
  const { base } = useContext(AskedOf)
  const names = useData<{ data: string[] }>(`${base}/label/__name__/values`, [], 300_000).value?.data ?? []
  const word = /[a-zA-Z_:][\w:]*$/.exec(text.slice(0, caret))?.[0] ?? ''
  if (word.length < 2) return { word, found: [] }
  const starts = names.filter((name) => name.startsWith(word) && name !== word)
  const holds = names.filter((name) => !name.startsWith(word) && name.includes(word))
  return { word, found: [...starts, ...holds].slice(0, 8) }
}

interface EditorProps { value: string; problemAt: number | null; onChange: (text: string) => void; onRun: () => void }

export function Editor({ value, problemAt, onChange, onRun }: EditorProps) {
  const area = useRef<HTMLTextAreaElement>(null)
  const [caret, setCaret] = useState(0)
  const [chosen, setChosen] = useState(-1)
  const [open, setOpen] = useState(false)
  const { word, found } = useCompletion(value, caret)
  const shown = open && found.length > 0

  useEffect(() => {
    if (problemAt !== null) {
      area.current?.focus()
      area.current?.setSelectionRange(problemAt, Math.min(value.length, problemAt + 1))
    }
  }, [problemAt])
  useEffect(() => {
    const box = area.current
    if (!box) return
    box.style.height = 'auto'
    box.style.height = `${box.scrollHeight + 2}px`
  }, [value])

  const take = (name: string) => {
    const next = value.slice(0, caret - word.length) + name + value.slice(caret)
    const at = caret - word.length + name.length
    onChange(next)
    setOpen(false)
    requestAnimationFrame(() => { area.current?.setSelectionRange(at, at); area.current?.focus() })
    setCaret(at)
  }
  const onKey = (event: KeyboardEvent) => {
    if (shown && event.key === 'ArrowDown') setChosen((old) => Math.min(found.length - 1, old + 1))
    else if (shown && event.key === 'ArrowUp') setChosen((old) => Math.max(-1, old - 1))
    else if (shown && (event.key === 'Tab' || event.key === 'Enter') && chosen >= 0) take(found[chosen] ?? '')
    else if (shown && event.key === 'Tab' && !event.shiftKey) take(found[0] ?? '')
    else if (shown && event.key === 'Escape') { setOpen(false); event.stopPropagation() }
    else if (event.key === 'Enter' && !event.shiftKey) { setOpen(false); onRun() }
    else return
    event.preventDefault()
  }
  const sync = () => setCaret(area.current?.selectionStart ?? 0)

  return (
    <div class="editor">
      <textarea ref={area} id="expr" data-filter class="mono" rows={1} spellcheck={false} autocomplete="off" autocapitalize="off" value={value}
                aria-label="PromQL expression" aria-controls="names" aria-autocomplete="list"
                {...(shown && chosen >= 0 ? { 'aria-activedescendant': `name-${chosen}` } : {})}
                placeholder="A metric name, or any PromQL: rate(node_cpu_seconds_total[5m])"
                onInput={(event) => { onChange(event.currentTarget.value); setChosen(-1); setOpen(true); sync() }}
                onKeyDown={onKey} onClick={sync} onBlur={() => setOpen(false)} />
      <ul id="names" class="names" role="listbox" aria-label="Metric names" hidden={!shown}>
        {shown && found.map((name, i) => <li key={name} id={`name-${i}`} role="option" aria-selected={i === chosen} onPointerDown={(event) => { event.preventDefault(); take(name) }}>{name}</li>)}
      </ul>
    </div>
  )
}

function History({ list, onPick }: { list: string[]; onPick: (expr: string) => void }) {
  if (list.length === 0) return null
  return (
    <details class="history panel"><summary>History</summary>
      <ul>{list.map((one) => <li key={one}><button type="button" class="mono" onClick={() => onPick(one)}>{one}</button></li>)}</ul></details>
  )
}

const STARTERS: [string, string][] = [
  ['up', 'Which agents are there'],
  ['1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))', 'How busy the processors are'],
  ['node_filesystem_avail_bytes / node_filesystem_size_bytes', 'How much room each disk has'],
  ['probe_duration_seconds', 'How long probes take'],
  ['ALERTS', 'What fires or is pending'],
]

function RangePicker({ from, to }: { from: string; to: string }) {
  const current = to === 'now' && from.startsWith('now-') ? from.slice(4) : ''
  return (
    <div class="ranges">
      <Chips name="Range" value={current} onChoose={(value) => setQuery({ from: value === '1h' ? '' : `now-${value}`, to: '' }, { push: true })} choices={RANGES.map((value) => ({ value, words: value }))} />
      {!current && <button type="button" class="quiet" onClick={() => setQuery({ from: '', to: '' }, { push: true })}><Icon name="cross" size={14} /> zoom out</button>}
    </div>
  )
}

/** The parameters of what is shown: the graph's steps, or the table's instant. */
function explainForm(expr: string, view: string, range: { fromMs: number; toMs: number }): Record<string, string> {
  return view === 'table' ? { query: expr, time: String(range.toMs / 1000) } : { query: expr, ...stepsOf(range.fromMs, range.toMs) }
}

export function Explore() {
  pageTitle.value = 'Explore'
  const expr = query('expr')
  const view = query('view') === 'table' ? 'table' : 'graph'
  const explained = query('explain') === '1'
  const from = query('from') || 'now-1h'
  const to = query('to') || 'now'
  const [text, setText] = useState(expr)
  const [history, setHistory] = useState(readHistory)
  const [error, setError] = useState<ApiError | null>(null)
  const [run, setRun] = useState({ tick: 0, nowMs: Date.now() })
  const range = parseRange(from, to, run.nowMs)
  const place = error && errorPlace(error.message)

  useEffect(() => { setText(expr); setError(null) }, [expr])
  const ask = (next = text) => {
    const trimmed = next.trim()
    if (!trimmed) return
    setError(null)
    setRun((old) => ({ tick: old.tick + 1, nowMs: Date.now() }))
    setHistory(remember(trimmed))
    if (may('operate')) void call('/api/alertd/v1/queries', { json: { query: trimmed }, keepalive: true }).catch(() => undefined) // the timelines of incidents one is at
    setText(trimmed)
    setQuery({ expr: trimmed }, { push: true })
  }
  useKey('t e', 'Explain what the expression costs, or stop', () => setQuery({ explain: explained ? '' : '1' }), 'Explore')
  useKey('t z', 'Zoom out to the last hour', () => setQuery({ from: '', to: '' }, { push: true }), 'Explore')

  return (
    <Page title="Explore" lead="Ask anything of the samples. The address keeps the question.">
      <div class="query">
        <Editor value={text} problemAt={place ? offsetOf(text, place) : null} onChange={setText} onRun={() => ask()} />
        <button type="button" class="primary" onClick={() => ask()}><Icon name="play" size={16} /> Run</button>
      </div>
      {error && <QueryError error={error} expr={expr} />}
      <div class="filters">
        <Chips name="View" value={view} onChoose={(value) => setQuery({ view: value === 'graph' ? '' : value })} choices={[{ value: 'graph', words: 'Graph' }, { value: 'table', words: 'Table' }]} />
        <button type="button" class="toggle" aria-pressed={explained} onClick={() => setQuery({ explain: explained ? '' : '1' })}><Icon name="rules" size={16} /> Explain</button>
        {view === 'graph' && <RangePicker from={from} to={to} />}
      </div>
      {!expr && (
        <Panel><Empty icon="explore" title="What would you like to know?">
          <ul class="starters">{STARTERS.map(([one, words]) => <li key={one}><button type="button" onClick={() => ask(one)}><span>{words}</span><code>{one}</code></button></li>)}</ul>
        </Empty></Panel>
      )}
      {expr && !error && (
        <Panel label="Answer">
          {view === 'table'
            ? <Instant expr={expr} atMs={range?.toMs ?? run.nowMs} tick={run.tick} onError={setError} />
            : range
              ? <ExpressionChart expr={expr} {...range} rollup tick={run.tick} what={expr} height={340} onError={setError}
                                 onZoom={(fromMs, toMs) => setQuery({ from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() }, { push: true })} />
              : <p class="bad-ink pad" role="alert">The range {from} to {to} is none: try now-6h to now.</p>}
        </Panel>
      )}
      {expr && !error && explained && range && <Explain form={explainForm(expr, view, range)} tick={run.tick} />}
      <History list={history} onPick={ask} />
    </Page>
  )
}
