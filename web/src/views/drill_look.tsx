// The player's eyes: who pages, graphs on the drill's time, free questions, the runbook. Each is
// what it is in real life; what is opened is remembered for the debrief.

import { useComputed } from '@preact/signals'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { ApiError } from '../app/api.ts'
import { useData } from '../app/data.ts'
import { sessionPath, type Live } from '../app/drill.ts'
import type { DrillAlert, DrillIncident, Session } from '../app/drill_types.ts'
import { useKey } from '../app/keyboard.ts'
import { query, setQuery } from '../app/router.ts'
import type { DocumentNode } from '../app/types.ts'
import { ExpressionChart } from '../chart/expression.tsx'
import type { Mark } from '../chart/plot.ts'
import { BACKS, graphRange, isOf, leftSide, panelExpr, wallClock } from '../lib/drill.ts'
import { formatValue } from '../lib/number.ts'
import { errorPlace, offsetOf } from '../lib/promql.ts'
import { sectionOf } from '../lib/section.ts'
import { formatAge } from '../lib/time.ts'
import { Document } from '../ui/document.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import { Chips, Labels, Panel, Severity, State, Waiting } from '../ui/parts.tsx'
import { Editor, Instant, QueryError } from './explore.tsx'
import { stillNow } from './drill_parts.tsx'

interface Shown { expr: string; name: string; threshold: number | null; of: 'alert' | 'graph' }
type PromRules = { data: { groups: { rules: { name: string; query: string; type: string }[] }[] } }

export const lookAt = (look: string, what: Record<string, string> = {}) => {
  setQuery({ look, ...what })
  requestAnimationFrame(() => document.getElementById('drill-look')?.scrollIntoView({ block: 'nearest', behavior: 'smooth' }))
}

/** "service#serviceerrors" of a runbook's address, whatever host it names. */
export function runbookOf(url: string | undefined): string | null {
  const found = /\/runbooks\/([\w.-]+)#([\w.-]+)/.exec(url ?? '')
  return found ? `${found[1] ?? ''}#${found[2] ?? ''}` : null
}

/** All graphs one can open here: what alerts compare, then what else is measured. */
export function useGraphs(session: Session): Shown[] {
  const rules = useData<PromRules>(`${sessionPath(session.id)}/api/v1/rules`, [], 600_000).value?.data.groups
  const names = [...new Set(session.alerts.map((one) => one.labels['alertname'] ?? ''))].join('\n')
  return useMemo(() => {
    const all = rules?.flatMap((group) => group.rules) ?? []
    const ofAlerts = names.split('\n').flatMap((name): Shown[] => {
      const rule = all.find((one) => one.name === name)
      if (!rule) return []
      const { left, threshold } = leftSide(rule.query)
      return [{ expr: left, name, threshold, of: 'alert' }]
    })
    return [...ofAlerts, ...session.graphs.filter((graph) => !/^ALERTS(_FOR_STATE)?$/.test(graph)).map((graph): Shown => ({ expr: panelExpr(graph), name: graph, threshold: null, of: 'graph' }))]
  }, [rules, names, session.graphs.join('\n')])
}

function AlertRow({ alert, session, onGraph, onRunbook }: { alert: DrillAlert; session: Session; onGraph: (name: string) => void; onRunbook: (book: string) => void }) {
  const name = alert.labels['alertname'] ?? ''
  const book = runbookOf(alert.annotations['runbook_url'])
  const rest = Object.fromEntries(Object.entries(alert.labels).filter(([key]) => key !== 'alertname' && key !== 'severity'))
  return (
    <li>
      <p class="between"><b>{name}</b><State state={alert.state} /></p>
      {[alert.annotations['summary'], alert.annotations['description']].filter(Boolean).map((words) => <p key={words}>{words}</p>)}
      <Labels labels={rest} />
      <p class="page-links">
        {alert.value !== null && <span class="dim">value <span class="num">{formatValue(alert.value)}</span></span>}
        <button type="button" class="quiet" onClick={() => onGraph(name)}><Icon name="explore" size={15} /> Its graph</button>
        {book && <button type="button" class="quiet" onClick={() => onRunbook(book)}><Icon name="book" size={15} /> Runbook</button>}
        <span class="dim">since {wallClock(session.clock, alert.since_ms)}</span>
      </p>
    </li>
  )
}

/** As the page said it; an incident's own title is what groups it. */
const titleOf = (incident: DrillIncident, session: Session) => session.pages.find((one) => one.incident === incident.n)?.title || incident.title

function IncidentCard({ incident, session, live, canAct, onGraph, onRunbook }: { incident: DrillIncident; session: Session; live: Live; canAct: boolean; onGraph: (name: string) => void; onRunbook: (book: string) => void }) {
  const status = incident.over_ms !== null ? 'resolved' : incident.acked_ms !== null ? 'acknowledged' : 'triggered'
  const alerts = session.alerts.filter((one) => isOf(incident, one.labels['alertname'] ?? ''))
  const paged = [...new Set(session.pages.filter((one) => one.incident === incident.n).map((one) => one.who))]
  const severity = alerts.map((one) => one.labels['severity']).find(Boolean)
  return (
    <article class={`drill-incident ${status}`} aria-label={`Incident ${incident.n}`}>
      <header>
        <div class="grow"><h3>{titleOf(incident, session)}</h3>
          <p class="incident-facts"><State state={status} /><Severity severity={severity} /><span class="dim">opened {wallClock(session.clock, incident.opened_ms)}, {incident.over_ms === null ? `for ${formatAge(stillNow(session) - incident.opened_ms)}` : `over ${wallClock(session.clock, incident.over_ms)}`}</span>
            {paged.length > 0 && <span class="dim"><Icon name="sent" size={14} /> paged: {paged.join(', ')}</span>}</p></div>
        {status === 'triggered' && canAct && <button type="button" class="primary" onClick={() => { void live.act('ack') }}><Icon name="hand" size={16} /> Acknowledge <kbd>a</kbd></button>}
      </header>
      {alerts.length > 0 && <ul class="aside-list">{alerts.map((one, i) => <AlertRow key={i} alert={one} session={session} onGraph={onGraph} onRunbook={onRunbook} />)}</ul>}
    </article>
  )
}

export function Incidents({ session, live, canAct }: { session: Session; live: Live; canAct: boolean }) {
  const open = [...session.incidents].sort((a, b) => Number(a.over_ms !== null) - Number(b.over_ms !== null) || b.opened_ms - a.opened_ms)
  const others = session.alerts.filter((one) => !open.some((incident) => isOf(incident, one.labels['alertname'] ?? '')))
  const onGraph = (name: string) => lookAt('graph', { graph: name })
  const onRunbook = (book: string) => lookAt('runbook', { book })
  return (
    <Panel title="Incidents" label="Incidents" aside={<span class="dim">{session.alerts.filter((one) => one.state === 'firing').length} firing, {session.alerts.filter((one) => one.state === 'pending').length} pending</span>}>
      {open.map((one) => <IncidentCard key={one.n} incident={one} session={session} live={live} canAct={canAct} onGraph={onGraph} onRunbook={onRunbook} />)}
      {open.length === 0 && <p class="pad drill-quiet"><span class="state ok"><Icon name="check" size={14} />Nobody is paged.</span> <span class="dim">Green means: what is watched is well.</span></p>}
      {others.length > 0 && <ul class="aside-list">{others.map((one, i) => <AlertRow key={i} alert={one} session={session} onGraph={onGraph} onRunbook={onRunbook} />)}</ul>}
    </Panel>
  )
}

/** What happened, on the graph: pages, deploys, and what was done. */
function marksOf(session: Session): Mark[] {
  return session.moments.flatMap((one): Mark[] => {
    const atMs = session.clock.zero_ms + one.at_ms
    if (one.kind === 'page') return [{ atMs, words: 'page', tone: 'bad' }]
    if (one.kind === 'happened' && one.who === 'deploy') return [{ atMs, words: 'deploy', tone: 'warn' }]
    if (one.kind === 'act' && one.act === 'do') return [{ atMs, words: 'you', tone: 'accent' }]
    return []
  }).slice(-12)
}

/** As often as there is something new to see, and no oftener than every two seconds of this world. */
function useRange(session: Session, live: Live, backMs: number) {
  const grid = Math.max(15_000, session.clock.speed * 2000)
  const seenMs = useComputed(() => Math.floor(live.nowMs.value / grid) * grid).value
  return useMemo(() => graphRange(session.clock, seenMs, backMs), [seenMs, backMs, session.clock.zero_ms])
}

/** Looked at before: a reload of the page is no second look. */
const isKnown = (session: Session, act: string, text: string) => session.moments.some((one) => one.act === act && one.what === text)

interface Tile { value: string; icon: IconName; first: boolean }
const TILES_MAX = 10
const FOUND_MAX = 30

/** Things to open. What an alert speaks of comes first; of many others one finds one's own. */
function Tiles({ what, find, list, chosen, onChoose }: { what: string; find: string; list: Tile[]; chosen: string; onChoose: (value: string) => void }) {
  const [text, setText] = useState('')
  const [first, rest] = [list.filter((one) => one.first), list.filter((one) => !one.first)]
  const many = rest.length > TILES_MAX
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const found = rest.filter((one) => words.every((word) => one.value.toLowerCase().includes(word)))
  const shown = [...first, ...found.slice(0, words.length > 0 ? FOUND_MAX : TILES_MAX)]
  const kept = list.filter((one) => one.value === chosen && !shown.includes(one))
  const left = rest.length - (shown.length - first.length)
  return (
    <>
      <div class="drill-tiles" role="group" aria-label={what}>
        {[...shown, ...kept].map((one) => <button key={one.value} type="button" class="toggle" aria-pressed={one.value === chosen} onClick={() => onChoose(one.value)}><Icon name={one.icon} size={15} /> {one.value}</button>)}
      </div>
      {many && <p class="drill-find"><input type="search" aria-label={find} placeholder={`${find} …`} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <span class="dim">{words.length > 0 ? (found.length === 0 ? 'none has that in its name' : `${found.length} of ${rest.length}`) : `${left} more`}</span></p>}
    </>
  )
}

function Graphs({ session, live, graphs, backMs }: { session: Session; live: Live; graphs: Shown[]; backMs: number }) {
  const name = query('graph')
  const shown = graphs.find((one) => one.name === name)
  const range = useRange(session, live, backMs)
  useEffect(() => { if (shown && session.role === 'player' && !isKnown(session, 'query', shown.expr)) void live.act('query', { text: shown.expr }) }, [shown?.expr])
  return (
    <>
      <Tiles what="Graphs" find="Find a metric" chosen={name} onChoose={(graph) => setQuery({ graph })}
             list={graphs.map((one) => ({ value: one.name, icon: one.of === 'alert' ? 'alerts' : 'explore', first: one.of === 'alert' }))} />
      {graphs.length === 0 && <p class="dim pad">No graph is laid out here. <button type="button" onClick={() => setQuery({ look: 'explore' })}>Ask for one</button></p>}
      {!shown && graphs.length > 0 && <p class="dim pad">Choose one. Those with a bell are what an alert compares; the others are all that is measured here.</p>}
      {shown && <><p class="expr mono">{shown.expr}</p><ExpressionChart key={shown.expr} expr={shown.expr} {...range} what={shown.name} threshold={shown.threshold} marks={marksOf(session)} height={240} /></>}
    </>
  )
}

function Explore({ session, live, backMs }: { session: Session; live: Live; backMs: number }) {
  const expr = query('expr')
  const view = query('view') === 'table' ? 'table' : 'graph'
  const [text, setText] = useState(expr)
  const [error, setError] = useState<ApiError | null>(null)
  const [tick, setTick] = useState(0)
  const range = useRange(session, live, backMs)
  const place = error && errorPlace(error.message)
  useEffect(() => { setText(expr); setError(null) }, [expr])
  const ask = () => {
    const asked = text.trim()
    if (!asked) return
    setError(null)
    setTick(tick + 1)
    setQuery({ expr: asked })
    if (session.role === 'player') void live.act('query', { text: asked })
  }
  return (
    <div class="drill-explore">
      <div class="query"><Editor value={text} problemAt={place ? offsetOf(text, place) : null} onChange={setText} onRun={ask} />
        <button type="button" class="primary" onClick={ask}><Icon name="play" size={16} /> Run</button></div>
      {error && <QueryError error={error} expr={expr} />}
      {expr && <Chips name="View" value={view} onChoose={(value) => setQuery({ view: value === 'graph' ? '' : value })} choices={[{ value: 'graph', words: 'Graph' }, { value: 'table', words: 'Table' }]} />}
      {expr && !error && (view === 'table'
        ? <Instant expr={expr} atMs={range.toMs - 15_000} tick={tick} onError={setError} />
        : <ExpressionChart expr={expr} {...range} tick={tick} what={expr} marks={marksOf(session)} height={240} onError={setError} />)}
      {!expr && <p class="dim pad">Ask anything of the drill’s samples. Begin with <code>up</code>, or with the first letters of a metric. Nothing after the drill’s now is there.</p>}
    </div>
  )
}

function Book({ pack, anchor }: { pack: string; anchor: string }) {
  const { value, error } = useData<{ nodes: DocumentNode[] }>(`/api/alertd/v1/runbooks/${encodeURIComponent(pack)}`, [], 3_600_000)
  if (!value) return error ? <p class="pad bad-ink" role="alert">{error.message}</p> : <Waiting />
  return (
    <div class="drill-book" tabIndex={0} role="region" aria-label={`Runbook ${pack}`}>
      <Document nodes={sectionOf(value.nodes, anchor) ?? value.nodes} />
      <p class="dim"><a href={`/runbooks/${pack}#${anchor}`} target="_blank" rel="noreferrer">All of the {pack} runbook</a>, in a tab of its own</p>
    </div>
  )
}

const alertBooks = (session: Session) => session.alerts.map((one) => runbookOf(one.annotations['runbook_url'])).filter((one): one is string => one !== null)

/** Those of the alerts that are there, then all others. */
export const booksOf = (session: Session): string[] => [...new Set([...alertBooks(session), ...session.runbooks])]

function Runbooks({ session, live }: { session: Session; live: Live }) {
  const books = booksOf(session)
  const ofAlerts = alertBooks(session)
  const book = query('book') || (books.length === 1 ? books[0] ?? '' : '')
  const [pack, anchor] = book.split('#')
  useEffect(() => { if (book && session.role === 'player' && !isKnown(session, 'runbook', book)) void live.act('runbook', { text: book }) }, [book])
  return (
    <>
      <Tiles what="Runbooks" find="Find a runbook" chosen={book} onChoose={(one) => setQuery({ book: one })} list={books.map((one) => ({ value: one, icon: 'book', first: ofAlerts.includes(one) }))} />
      {books.length === 0 && <p class="dim pad">No alert is there to have one.</p>}
      {!book && books.length > 0 && <p class="dim pad">Choose one: a runbook has a section for each alert.</p>}
      {pack && anchor && <Book key={book} pack={pack} anchor={anchor} />}
    </>
  )
}

/** Graphs, free questions, runbooks: one place, three faces. */
export function Look({ session, live }: { session: Session; live: Live }) {
  const look = query('look') || 'graph'
  const back = BACKS.find((one) => one.value === query('back')) ?? BACKS[1]
  const graphs = useGraphs(session)
  const first = graphs[0]?.name ?? ''
  useKey('l', 'Look: the graph of the alert', () => lookAt('graph', { graph: query('graph') || first }), 'This drill')
  useKey('b', 'The runbook', () => lookAt('runbook', { book: query('book') || (booksOf(session)[0] ?? '') }), 'This drill')
  useKey('x', 'Ask in PromQL', () => { lookAt('explore'); requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById('expr')?.focus())) }, 'This drill')
  return (
    <div id="drill-look">
      <Panel label="Look" title={<Chips name="What to look at" value={look} onChoose={(value) => setQuery({ look: value === 'graph' ? '' : value })}
                                        choices={[{ value: 'graph', words: 'Graphs' }, { value: 'explore', words: 'Explore' }, { value: 'runbook', words: 'Runbook' }]} />}
             aside={look !== 'runbook' && <Chips name="How far back" value={back?.value ?? ''} choices={BACKS} onChoose={(value) => setQuery({ back: value === '1h' ? '' : value })} />}>
        {look === 'graph' && <Graphs session={session} live={live} graphs={graphs} backMs={back?.ms ?? 0} />}
        {look === 'explore' && <Explore session={session} live={live} backMs={back?.ms ?? 0} />}
        {look === 'runbook' && <Runbooks session={session} live={live} />}
      </Panel>
    </div>
  )
}
