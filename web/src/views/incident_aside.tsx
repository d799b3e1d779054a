// Beside an incident's timeline, in the order in which one needs it: what fires, what to do, whom it
// concerns, what was changed, whether it was seen before; then, folded, what can wait until after.

import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { judge } from '../app/actions.ts'
import { may, me } from '../app/api.ts'
import { useData } from '../app/data.ts'
import { useKey } from '../app/keyboard.ts'
import { V1 } from '../app/roster.ts'
import type { Delivery, DocumentNode, IncidentAlert, IncidentDetail, Related, Said, Verdict } from '../app/types.ts'
import { count, formatValue } from '../lib/number.ts'
import { ownRunbook, sectionOf } from '../lib/section.ts'
import { DeliveryList } from '../ui/deliveries.tsx'
import { Document } from '../ui/document.tsx'
import { Fold } from '../ui/fold.tsx'
import { Icon } from '../ui/icon.tsx'
import { Labels, Panel, Shown, State } from '../ui/parts.tsx'
import { Ago } from '../ui/time.tsx'
import { ChangesBefore, RecordFigures, SeenBefore, ServiceCards, WouldHaveFired } from './incident_record.tsx'

const LABELS_SHOWN = 4

/** What distinguishes it is shown; the rest of its labels, on demand. */
function AlertLabels({ labels }: { labels: Record<string, string> }) {
  const own = Object.entries(labels).filter(([name]) => name !== 'alertname' && name !== 'severity')
  if (own.length <= LABELS_SHOWN) return <Labels labels={Object.fromEntries(own)} />
  return <details class="more-labels"><summary><Labels labels={Object.fromEntries(own.slice(0, LABELS_SHOWN - 1))} /> <span class="dim small">{count(own.length - LABELS_SHOWN + 1, 'more label')}</span></summary><Labels labels={Object.fromEntries(own.slice(LABELS_SHOWN - 1))} /></details>
}

function Alerts({ alerts }: { alerts: IncidentAlert[] }) {
  return (
    <Panel id="alerts" title={alerts.length === 1 ? 'The alert' : 'Alerts'}>
      <ul class="aside-list">
        {alerts.map((alert, i) => (
          <li key={i}>
            <p class="between"><b>{alert.rule_id === null ? alert.name : <a href={`/rules/${alert.rule_id}`}>{alert.name}</a>}</b><State state={alert.state} /></p>
            {(alert.annotations['summary'] ?? alert.annotations['description']) && <p>{alert.annotations['summary'] ?? alert.annotations['description']}</p>}
            <AlertLabels labels={alert.labels} />
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

function runbookLinks(alerts: IncidentAlert[]): string[] {
  return [...new Set(alerts.map((alert) => alert.runbook_url).filter((url): url is string => url !== null && /^(https?:)?\/\/|^\//.test(url)))]
}

function Runbooks({ links }: { links: string[] }) {
  const origins = [location.origin, ...(me.value?.external_url ? [new URL(me.value.external_url, location.origin).origin] : [])]
  return (
    <Panel id="runbook" title="Runbook">
      <ul class="aside-list">{links.map((url) => {
          const own = ownRunbook(url, origins)
          return own
            ? <RunbookSection key={url} {...own} url={url} />
            : <li key={url}><a class="runbook" href={url} target="_blank" rel="noreferrer"><Icon name="book" size={16} /> {url.replace(/^https?:\/\//, '')}</a></li>
        })}</ul>
    </Panel>
  )
}

const ANSWERS: { verdict: Verdict; words: string; keys: string }[] = [
  { verdict: 'useful', words: 'Useful', keys: 'v u' }, { verdict: 'noise', words: 'Noise', keys: 'v n' }, { verdict: 'unknown', words: "Don't know", keys: 'v d' },
]

/** One tap; another choice undoes it. Then there is room for a reason. */
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
          {mine && <input type="text" value={reason} maxLength={300} aria-label="Why (optional)" placeholder="Why? Enter adds it" onInput={(event) => setReason(event.currentTarget.value)} />}
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

function WhoWasTold({ incidentKey }: { incidentKey: string }) {
  const data = useData<{ deliveries: Delivery[] }>(`${V1}/incidents/${encodeURIComponent(incidentKey)}/deliveries`, ['incident'], 15_000)
  const all = data.value?.deliveries ?? []
  const failed = all.filter(({ state }) => state === 'failed').length
  const sent = all.filter(({ state }) => state === 'sent').length
  return (
    <Fold title="Who was told" open={failed > 0} digest={failed > 0 ? <span class="bad-ink">{failed} failed</span> : all.length === 0 ? 'nobody' : `${sent} sent`}>
      <Shown data={data} what="The log could not be read">{({ deliveries }) => <DeliveryList deliveries={deliveries} />}</Shown>
      <p class="foot"><a href={`/deliveries?incident=${encodeURIComponent(incidentKey)}`}>All of it</a></p>
    </Fold>
  )
}

/** What is not there is one line each, with how it would come to be there. */
function NotThere({ of }: { of: { name: string; how: ComponentChildren }[] }) {
  if (of.length === 0) return null
  return (
    <Fold title="Not known" digest={of.map(({ name }) => name).join(', ')}>
      <ul class="aside-list">{of.map(({ name, how }) => <li key={name}><p><b>{name}</b></p><p class="dim">{how}</p></li>)}</ul>
    </Fold>
  )
}

const HOW = {
  runbook: { name: 'runbook', how: <>Give the rule an annotation <code>runbook_url</code>: at three in the morning nobody remembers.</> },
  services: { name: 'services', how: <>A <a href="/services">service</a> whose labels match the alert's comes with its owner, what it needs, and what happens when it is down.</> },
  changes: { name: 'changes', how: <>One line of curl in the pipeline tells them: <code>POST /api/v1/events</code>.</> },
}

export function Aside({ incident, related }: { incident: IncidentDetail; related: Related | undefined }) {
  const links = runbookLinks(incident.alerts)
  const over = incident.status === 'resolved'
  const missing = [...(links.length === 0 ? [HOW.runbook] : []), ...(related?.services.length === 0 ? [HOW.services] : []), ...(related?.changes.length === 0 ? [HOW.changes] : [])]
  return (
    <aside class="column-side" aria-label="Facts">
      {incident.alerts.length > 0 && <Alerts alerts={incident.alerts} />}
      {links.length > 0 && <Runbooks links={links} />}
      {related && related.services.length > 0 && <ServiceCards related={related} />}
      {related && related.changes.length > 0 && <ChangesBefore changes={related.changes} />}
      {related && related.similar.length > 0 && <SeenBefore similar={related.similar} />}
      <RecordFigures incidentKey={incident.key} open={over} />
      <WouldHaveFired incidentKey={incident.key} open={over} />
      <Worth incidentKey={incident.key} said={incident.verdicts} />
      <WhoWasTold incidentKey={incident.key} />
      <NotThere of={missing} />
    </aside>
  )
}

/** Where the columns are one below the other: a way down to what is beside the timeline elsewhere. */
export function Jumps({ incident, related }: { incident: IncidentDetail; related: Related | undefined }) {
  const places = [
    ['timeline', 'Timeline'], ...(runbookLinks(incident.alerts).length > 0 ? [['runbook', 'Runbook']] : []), ...(incident.alerts.length > 0 ? [['alerts', 'Alerts']] : []),
    ...(related && related.services.length > 0 ? [['services', 'Services']] : []), ...(related && related.changes.length > 0 ? [['changes', 'Changes']] : []), ['figures', 'Figures'],
  ] as [string, string][]
  const go = (id: string) => (event: Event) => {
    event.preventDefault()
    event.stopPropagation()
    const place = document.getElementById(id)
    if (place instanceof HTMLDetailsElement) place.open = true
    place?.scrollIntoView({ block: 'start' })
  }
  return <nav class="jumps" aria-label="On this page">{places.map(([id, words]) => <a key={id} href={`#${id}`} onClick={go(id)}>{words}</a>)}</nav>
}
