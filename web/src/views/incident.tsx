// One incident: run it, and record it as it happens.

import { useEffect, useRef, useState } from 'preact/hooks'
import { acknowledge, incidentData, incidentPath, judge, resolve, resolving } from '../app/actions.ts'
import { ApiError, call, may, me } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { useKey } from '../app/keyboard.ts'
import { go } from '../app/router.ts'
import { now } from '../app/settings.ts'
import { say, undoLast } from '../app/toast.ts'
import type { DocumentNode, Incident as Head, IncidentAlert, IncidentDetail, PostmortemHead, Said, Verdict } from '../app/types.ts'
import { ExpressionChart } from '../chart/expression.tsx'
import { formatValue } from '../lib/number.ts'
import { ownRunbook, sectionOf } from '../lib/section.ts'
import { MINUTE, SECOND, formatDuration, parseTime } from '../lib/time.ts'
import { DeliveryLog } from '../ui/deliveries.tsx'
import { Document } from '../ui/document.tsx'
import { EscalationButtons, EscalationState } from '../ui/escalation.tsx'
import { Icon } from '../ui/icon.tsx'
import { Empty, Labels, Panel, Severity, Shown, State } from '../ui/parts.tsx'
import { SilenceLink } from '../ui/silence_link.tsx'
import { Ago, Elapsed } from '../ui/time.tsx'
import { Why } from '../ui/why.tsx'
import { RecordFigures, RelatedPanels, Roles, useMarks } from './incident_record.tsx'
import { ShadowedBy } from './incident_shadows.tsx'
import { Timeline, type NoteHandle } from './timeline.tsx'

function WritePostmortem({ incident }: { incident: IncidentDetail }) {
  const [busy, setBusy] = useState(false)
  const { value } = useData<{ templates: { id: string; title: string }[]; chosen?: { id: string; why: string } }>(incident.postmortem === null ? `/api/alertd/v1/postmortems/templates?incident=${incident.key}` : null)
  if (incident.postmortem !== null) return <a class="button" href={`/pm/${incident.postmortem}`}><Icon name="postmortems" size={16} /> Postmortem</a>
  if (!may('operate')) return null
  const write = async (template: string) => {
    setBusy(true)
    try {
      const made = await call<PostmortemHead>('/api/alertd/v1/postmortems', { json: { incident: incident.key, template } })
      go(`/pm/${made.id}`)
    } catch (error) {
      say(`The postmortem could not be started: ${error instanceof ApiError ? error.message : String(error)}`, 'bad')
      setBusy(false)
    }
  }
  return (
    <details class="menu">
      <summary class="button"><Icon name="postmortems" size={16} /> Write postmortem</summary>
      <div class="menu-list">
        {(value?.templates ?? []).map((template) => (
          <button key={template.id} type="button" disabled={busy} onClick={() => { void write(template.id) }}>{template.title}{template.id === value?.chosen?.id && <small class="dim"> Suits it: {value.chosen.why}</small>}</button>
        ))}
        {value?.templates.length === 0 && <p class="dim">No template was found in <code>postmortems/</code>.</p>}
      </div>
    </details>
  )
}

function Header({ incident, neighbours }: { incident: IncidentDetail; neighbours: { before: string | null; after: string | null } }) {
  const open = incident.status !== 'resolved'
  const leaving = resolving.value.has(incident.key)
  return (
    <header class={`incident-head ${incident.status}`}>
      <p class="crumbs"><a href="/i">Incidents</a> <span aria-hidden="true">/</span> <span class="num">{incident.key}</span>
        <span class="neighbours">
          {neighbours.before && <a href={`/i/${neighbours.before}`} aria-label={`Previous: ${neighbours.before}`} title="Previous ([)"><Icon name="chevron" size={16} /></a>}
          {neighbours.after && <a href={`/i/${neighbours.after}`} aria-label={`Next: ${neighbours.after}`} title="Next (])"><Icon name="chevron" size={16} /></a>}
        </span></p>
      <div class="incident-top">
        <div class="grow">
          <h1>{incident.title}</h1>
          <p class="incident-facts">
            <State state={incident.status} />
            <Severity severity={incident.severity} />
            {incident.acknowledged_at && <span class="dim"><Icon name="person" size={14} /> {incident.acknowledged_by ?? 'someone'} took it <Ago at={incident.acknowledged_at} /></span>}
            {incident.resolved_at && <span class="dim">resolved {incident.resolved_by ? `by ${incident.resolved_by}` : 'by itself'} <Ago at={incident.resolved_at} /></span>}
          </p>
          <EscalationState incident={incident} />
          <Roles incidentKey={incident.key} />
        </div>
        <p class="big-clock"><Elapsed from={incident.opened_at} to={incident.resolved_at} /><small>{open ? 'open' : 'lasted'}</small></p>
      </div>
      <div class="incident-actions">
        {incident.status === 'triggered' && may('operate') && (
          <button type="button" class="primary" onClick={() => { void acknowledge(incident.key, me.value?.name ?? null) }}><Icon name="hand" size={17} /> Acknowledge <kbd>a</kbd></button>
        )}
        {open && may('operate') && (leaving
          ? <button type="button" onClick={undoLast}><Icon name="clock" size={17} /> Resolving … undo</button>
          : <button type="button" onClick={() => resolve(incident.key)}><Icon name="check" size={17} /> Resolve <kbd>r</kbd></button>)}
        <EscalationButtons incident={incident} />
        {open && <SilenceLink labels={Object.keys(incident.labels).length > 0 ? incident.labels : incident.alerts[0]?.labels ?? {}} />}
        <WritePostmortem incident={incident} />
        <Why of={{ incident: incident.key }} />
      </div>
    </header>
  )
}

/** What a responder looked at is part of the record; whether it could be written is not their worry. */
function looked(key: string, expr: string): void {
  if (may('operate')) void call(`${incidentPath(key)}/events`, { json: { events: [{ kind: 'query.run', text: expr, evidence: { query: expr } }] }, keepalive: true }).catch(() => undefined)
}

/** The graph's range: what led to it, and what followed, on a grid so it does not creep. */
function rangeOf(incident: IncidentDetail): { fromMs: number; toMs: number } {
  const openedMs = parseTime(incident.opened_at) ?? 0
  const startMs = Math.min(openedMs, ...incident.alerts.map((alert) => parseTime(alert.active_at) ?? openedMs))
  const endMs = parseTime(incident.resolved_at) ?? now.peek()
  const around = Math.max(10 * MINUTE, (endMs - startMs) / 4)
  const toMs = incident.resolved_at ? Math.min(now.peek(), endMs + around) : endMs
  return { fromMs: startMs - around, toMs: Math.ceil(toMs / (15 * SECOND)) * 15 * SECOND }
}

/** An instant vector's threshold is drawn over its left side, narrowed to this alert's series. */
function SignalGraphs({ incident, onPick }: { incident: IncidentDetail; onPick: (atMs: number) => void }) {
  const byExpr = new Map<string, IncidentAlert>()
  for (const alert of incident.alerts) if (alert.expr && !byExpr.has(alert.expr)) byExpr.set(alert.expr, alert)
  const tick = incident.resolved_at ? 0 : Math.floor(now.value / (15 * SECOND))
  const range = rangeOf(incident)
  const marks = useMarks(incident.key)
  return (
    <>
      {[...byExpr.values()].slice(0, 3).map((alert) => {
        const expr = alert.left ?? alert.expr
        const link = `/explore?expr=${encodeURIComponent(expr)}&from=${new Date(range.fromMs).toISOString()}&to=${new Date(range.toMs).toISOString()}`
        return (
          <Panel key={alert.expr} title={alert.name} aside={<a href={link} onClick={() => looked(incident.key, expr)}>Explore</a>}>
            <p class="expr mono">{alert.expr}{alert.for_ms > 0 && <span class="dim"> for {formatDuration(alert.for_ms)}</span>}</p>
            <ExpressionChart expr={expr} {...range} tick={tick} what={alert.name} threshold={alert.left ? alert.threshold : null}
                             marks={marks} height={220} onPick={onPick} />
          </Panel>
        )
      })}
    </>
  )
}

function Alerts({ alerts }: { alerts: IncidentAlert[] }) {
  return (
    <Panel title="Alerts">
      <ul class="aside-list">
        {alerts.map((alert, i) => (
          <li key={i}>
            <p class="between"><b>{alert.rule_id === null ? alert.name : <a href={`/rules/${alert.rule_id}`}>{alert.name}</a>}</b><State state={alert.state} /></p>
            {(alert.annotations['summary'] ?? alert.annotations['description']) && <p>{alert.annotations['summary'] ?? alert.annotations['description']}</p>}
            <Labels labels={Object.fromEntries(Object.entries(alert.labels).filter(([name]) => name !== 'alertname' && name !== 'severity'))} />
            <p class="dim">{alert.value !== null && <>value <span class="num">{formatValue(alert.value)}</span> · </>}{alert.resolved_at ? <>resolved <Ago at={alert.resolved_at} /></> : <>fired <Ago at={alert.fired_at} /></>}</p>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

/** A runbook of ours opens here: what to do belongs beside what happens. */
function RunbookSection({ pack, anchor, url }: { pack: string; anchor: string; url: string }) {
  const { value, error } = useData<{ nodes: DocumentNode[] }>(`/api/alertd/v1/runbooks/${encodeURIComponent(pack)}`, [], 3_600_000)
  const section = value && sectionOf(value.nodes, anchor)
  return (
    <li>
      {section && <div class="runbook-text" tabIndex={0} role="region" aria-label={`What to do: ${pack} runbook`}><Document nodes={section} /></div>}
      <a class="runbook" href={`/runbooks/${pack}#${anchor}`}><Icon name="book" size={16} /> {section ? `All of the ${pack} runbook` : error ? url : `${pack} runbook`}</a>
    </li>
  )
}

function Runbooks({ alerts }: { alerts: IncidentAlert[] }) {
  const links = [...new Set(alerts.map((alert) => alert.runbook_url).filter((url): url is string => url !== null && /^(https?:)?\/\/|^\//.test(url)))]
  const origins = [location.origin, ...(me.value?.external_url ? [new URL(me.value.external_url, location.origin).origin] : [])]
  return (
    <Panel title="Runbook">
      {links.length === 0
        ? <p class="dim pad">None yet. Give the rule an annotation <code>runbook_url</code>: at three in the morning nobody remembers.</p>
        : <ul class="aside-list">{links.map((url) => {
          const own = ownRunbook(url, origins)
          return own
            ? <RunbookSection key={url} {...own} url={url} />
            : <li key={url}><a class="runbook" href={url} target="_blank" rel="noreferrer"><Icon name="book" size={16} /> {url.replace(/^https?:\/\//, '')}</a></li>
        })}</ul>}
    </Panel>
  )
}

const ANSWERS: { verdict: Verdict; words: string; keys: string }[] = [
  { verdict: 'useful', words: 'Useful', keys: 'v u' }, { verdict: 'noise', words: 'Noise', keys: 'v n' }, { verdict: 'unknown', words: "Don't know", keys: 'v d' },
]

/** One tap; another choice undoes it. A reason goes with the next tap, or by itself with Enter. */
function Worth({ incidentKey, said }: { incidentKey: string; said: Said[] }) {
  const [reason, setReason] = useState('')
  const mine = said.find((one) => one.actor === (me.value?.name ?? ''))
  const say_ = (verdict: Verdict) => { void judge(incidentKey, verdict, reason.trim()).then(() => setReason('')) }
  for (const { verdict, words, keys } of ANSWERS) useKey(keys, `This page was: ${words.toLowerCase()}`, () => say_(verdict), 'This incident', may('operate'))
  return (
    <Panel title="Was this page worth it?">
      {may('operate') && (
        <form class="worth" onSubmit={(event) => { event.preventDefault(); if (mine && reason.trim()) say_(mine.verdict) }}>
          <div class="worth-row" role="group" aria-label="What this page was worth">
            {ANSWERS.map(({ verdict, words, keys }) => (
              <button key={verdict} type="button" class="toggle" title={`${words} (${keys})`} aria-pressed={mine?.verdict === verdict} onClick={() => say_(verdict)}>{words}</button>
            ))}
          </div>
          <input type="text" value={reason} maxLength={300} aria-label="Why (optional)" placeholder={mine ? 'Why? Enter adds it' : 'Why (optional)'} onInput={(event) => setReason(event.currentTarget.value)} />
        </form>
      )}
      {said.length > 0
        ? <ul class="aside-list">{said.map((one) => (
          <li key={one.id}><p class="between"><b>{ANSWERS.find((answer) => answer.verdict === one.verdict)?.words}</b><span class="dim">{one.actor} · <Ago at={one.at} /></span></p>
            {one.reason && <p>{one.reason}</p>}</li>
        ))}</ul>
        : !may('operate') && <p class="dim pad">Nobody said yet.</p>}
    </Panel>
  )
}

export function Incident({ id }: { id: string }) {
  const data = useData<IncidentDetail>(incidentData(id), ['incident', 'alerts'], 15_000)
  const list = useData<{ incidents: Head[] }>('/api/alertd/v1/incidents?status=all&limit=50', ['incident']).value?.incidents ?? []
  const note = useRef<NoteHandle>(null)
  const incident = data.value
  pageTitle.value = incident ? `${incident.key} ${incident.title}` : id
  const at = list.findIndex((one) => one.key === id)
  const neighbours = { before: list[at - 1]?.key ?? null, after: at < 0 ? null : list[at + 1]?.key ?? null }
  const canAct = may('operate') && incident !== undefined

  useKey('a', 'Acknowledge', () => { void acknowledge(id, me.value?.name ?? null) }, 'This incident', canAct && incident.status === 'triggered')
  useKey('r', 'Resolve (undo with u)', () => resolve(id), 'This incident', canAct && incident.status !== 'resolved')
  useKey('n', 'Write a note', () => note.current?.focus(), 'This incident', canAct)
  useKey('[', 'Previous incident', () => { if (neighbours.before) go(`/i/${neighbours.before}`) }, 'This incident')
  useKey(']', 'Next incident', () => { if (neighbours.after) go(`/i/${neighbours.after}`) }, 'This incident')
  useEffect(() => {
    if (incident && canAct && matchMedia('(pointer: fine)').matches && document.activeElement?.id === 'main') note.current?.focus()
  }, [incident === undefined])

  if (data.error?.status === 404) return <Empty icon="incidents" title={`There is no incident ${id}`}><p><a href="/i">All incidents</a></p></Empty>
  return (
    <Shown data={data} what={`${id} could not be read`}>{(shown) => (
      <div class="incident-page">
        <Header incident={shown} neighbours={neighbours} />
        <ShadowedBy incidentKey={shown.key} />
        <div class="columns">
          <div class="column-main">
            <SignalGraphs incident={shown} onPick={(atMs) => note.current?.at(atMs)} />
            <Timeline incidentKey={shown.key} note={note} />
          </div>
          <aside class="column-side" aria-label="Facts">
            <Alerts alerts={shown.alerts} />
            <Runbooks alerts={shown.alerts} />
            <RelatedPanels incidentKey={shown.key} />
            <RecordFigures incidentKey={shown.key} />
            <Worth incidentKey={shown.key} said={shown.verdicts} />
            <DeliveryLog incidentKey={shown.key} />
          </aside>
        </div>
      </div>
    )}</Shown>
  )
}
