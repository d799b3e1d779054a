// Who is paged next of an incident, and the buttons that change it: snooze, take over,
// escalate now.

import { ApiError, call, may, me } from '../app/api.ts'
import { incidentPath } from '../app/actions.ts'
import { changed } from '../app/data.ts'
import { now } from '../app/settings.ts'
import { say } from '../app/toast.ts'
import type { Escalation, IncidentDetail } from '../app/types.ts'
import { HOUR, MINUTE, formatAge } from '../lib/time.ts'
import { Icon } from './icon.tsx'
import { Clock } from './time.tsx'

const SNOOZES = [
  { words: '15 min', ms: 15 * MINUTE }, { words: '30 min', ms: 30 * MINUTE }, { words: '1 h', ms: HOUR }, { words: '4 h', ms: 4 * HOUR }, { words: '8 h', ms: 8 * HOUR },
]

async function deed(key: string, what: 'snooze' | 'takeover' | 'escalate', json: object, done: string): Promise<void> {
  try {
    await call(`${incidentPath(key)}/${what}`, { json })
    say(done, 'ok')
  } catch (error) {
    say(error instanceof ApiError ? error.message : String(error), 'bad')
  }
  changed('incident', key)
}

function Words({ one }: { one: Escalation }) {
  const who = one.person ?? 'somebody'
  const left = one.next_at ? <> <Clock at={one.next_at} /> <span class="dim">({formatAge(Math.max(0, Date.parse(one.next_at) - now.value))})</span></> : null
  switch (one.status) {
    case 'running': return left ? <>{one.step >= one.steps ? 'the last resort' : `step ${one.step + 1} of ${one.steps}`} is due{left}{one.round > 0 && <span class="dim">, round {one.round + 1}</span>}</> : <>nobody else is paged</>
    case 'snoozed': return <>snoozed until{left} by {who}, then from the first step</>
    case 'acknowledged': return left ? <>acknowledged by {who} until{left}, then it goes on</> : <>acknowledged by {who}</>
    case 'taken': return <>{who} holds it: nobody else is paged</>
    case 'exhausted': return <span class="bad-ink">everybody was paged, and nobody reacted</span>
    case 'resolved': return null
  }
}

export function EscalationState({ incident }: { incident: IncidentDetail }) {
  const shown = incident.status === 'resolved' ? [] : incident.escalations.filter((one) => one.status !== 'resolved')
  if (shown.length === 0) return null
  return <ul class="escalation">{shown.map((one) => <li key={one.policy}><Icon name="up" size={15} /><span><span class="mono">{one.policy}</span>: <Words one={one} /></span></li>)}</ul>
}

/** Without a policy nobody is paged by steps: there is nothing to snooze or to escalate. */
export function EscalationButtons({ incident }: { incident: IncidentDetail }) {
  if (incident.status === 'resolved' || !may('operate')) return null
  const key = incident.key
  const mine = me.value?.name ?? null
  const pages = incident.escalations.length > 0
  const held = incident.escalations.some((one) => one.status === 'taken' && one.person === mine)
  const close = (element: Element) => element.closest('details')?.removeAttribute('open')
  return (
    <>
      {pages && (
        <details class="menu">
          <summary class="button"><Icon name="clock" size={16} /> Snooze</summary>
          <div class="menu-list" role="group" aria-label="Nobody is paged for">
            {SNOOZES.map(({ words, ms }) => <button key={words} type="button" onClick={(event) => { close(event.currentTarget); void deed(key, 'snooze', { duration_ms: ms }, `${key} is snoozed for ${words}`) }}>{words}</button>)}
          </div>
        </details>
      )}
      {(pages || (incident.status === 'acknowledged' && incident.acknowledged_by !== mine)) && !held && <button type="button" onClick={() => { void deed(key, 'takeover', {}, `You hold ${key}: nobody else is paged`) }}><Icon name="person" size={16} /> Take over</button>}
      {pages && <button type="button" onClick={() => { void deed(key, 'escalate', {}, 'The next step is paged now') }}><Icon name="up" size={16} /> Escalate now</button>}
    </>
  )
}
