// One incident in a list: what, how bad, how long, whose.

import { acknowledge } from '../app/actions.ts'
import { may, me } from '../app/api.ts'
import type { Incident } from '../app/types.ts'
import { count } from '../lib/number.ts'
import { Icon } from './icon.tsx'
import { Severity, State } from './parts.tsx'
import { Ago, Clock, Elapsed } from './time.tsx'

export function IncidentRow({ incident, gone }: { incident: Incident; gone: boolean }) {
  const open = incident.status !== 'resolved'
  return (
    <div class={`incident ${incident.status} ${gone ? 'gone' : ''}`} data-key={incident.key}>
      <a data-row class="incident-main" href={`/i/${incident.key}`}>
        <span class="incident-title">{incident.title}</span>
        <span class="incident-facts">
          <State state={gone ? 'resolved' : incident.status} />
          <Severity severity={incident.severity} />
          <span class="num dim">{incident.key}</span>
          <span class="dim">{open ? <>{incident.n_firing} of {count(incident.n_alerts, 'alert')} firing</> : count(incident.n_alerts, 'alert')}</span>
          {incident.acknowledged_by && <span class="dim"><Icon name="person" size={14} /> {incident.acknowledged_by} <Ago at={incident.acknowledged_at} /></span>}
        </span>
      </a>
      <span class="incident-side">
        <span class="elapsed"><Elapsed from={incident.opened_at} to={incident.resolved_at} /></span>
        <span class="dim"><Clock at={incident.opened_at} /></span>
      </span>
      {incident.status === 'triggered' && !gone && may('operate') && (
        <button type="button" class="primary" onClick={() => { void acknowledge(incident.key, me.value?.name ?? null) }}>
          <Icon name="hand" size={16} /> <span>Ack<span class="hidden"> {incident.key}</span></span>
        </button>
      )}
    </div>
  )
}
