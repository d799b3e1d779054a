// The head of an incident: what it is, in which state, since when, and what one can do about it.

import { useState } from 'preact/hooks'
import { acknowledge, resolve, resolving, incidentPath } from '../app/actions.ts'
import { ApiError, call, may, me } from '../app/api.ts'
import { useData } from '../app/data.ts'
import { go } from '../app/router.ts'
import { say, undoLast } from '../app/toast.ts'
import type { IncidentDetail, PostmortemHead } from '../app/types.ts'
import { EscalationButtons, EscalationState } from '../ui/escalation.tsx'
import { Icon } from '../ui/icon.tsx'
import { Severity, State } from '../ui/parts.tsx'
import { SilenceLink } from '../ui/silence_link.tsx'
import { Ago, Elapsed } from '../ui/time.tsx'
import { Why } from '../ui/why.tsx'
import { Roles } from './incident_record.tsx'

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

/** What was lived through once can be practised by others. */
function MakeDrill({ incident }: { incident: IncidentDetail }) {
  const [busy, setBusy] = useState(false)
  if (incident.status !== 'resolved' || !may('operate')) return null
  const make = async () => {
    setBusy(true)
    try {
      const { name } = await call<{ name: string }>(`${incidentPath(incident.key)}/drill`, { json: {}, limitMs: 60_000 })
      go(`/drills/library/${encodeURIComponent(name)}?preview=1`)
    } catch (error) {
      say(`No drill could be made of it: ${error instanceof ApiError ? error.message : String(error)}`, 'bad')
      setBusy(false)
    }
  }
  return <button type="button" disabled={busy} onClick={() => { void make() }}><Icon name="drill" size={16} /> {busy ? 'Making a drill …' : 'Make a drill of it'}</button>
}

export function Header({ incident, neighbours }: { incident: IncidentDetail; neighbours: { before: string | null; after: string | null } }) {
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
        <MakeDrill incident={incident} />
        <Why of={{ incident: incident.key }} />
      </div>
    </header>
  )
}
