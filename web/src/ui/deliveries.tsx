// What was told to whom, and what became of it: "sent 02:14:07, accepted, acknowledged 02:15:31".

import type { Delivery } from '../app/types.ts'
import { formatWait } from '../lib/roster.ts'
import { MINUTE } from '../lib/time.ts'
import { Icon } from './icon.tsx'
import { State } from './parts.tsx'
import { Clock } from './time.tsx'

const LANES: Record<string, string> = { shadow: 'a shadow’s copy', digest: 'a digest of several', test: 'a test' }

const REASONS: Record<string, string> = { first: 'told first', repeat: 'told again', resolved: 'that it is over', 'some resolved': 'that some are over', escalation: 'paged' }

/** Why it was owed. */
export const reasonWords = (one: Delivery): string => REASONS[one.reason] ?? one.reason

/** From a minute on it is worth saying; less is how long things take. */
export function DeliveryMarks({ one }: { one: Delivery }) {
  return (
    <>
      {one.lane !== 'page' && <span class="severity idle">{LANES[one.lane] ?? one.lane}</span>}
      {one.late_ms >= MINUTE && <span class="severity warn">{formatWait(one.late_ms - (one.late_ms % 1000))} late</span>}
      {one.attempts > 1 && <span class="dim">{one.attempts} attempts</span>}
    </>
  )
}

/** Its life in words. A later page that tells the same takes a waiting one's place. */
export function DeliveryWords({ one }: { one: Delivery }) {
  if (one.state === 'superseded') return <>{one.superseded_by === null ? 'not sent: it was no longer needed' : 'not sent: a later one tells it too'}</>
  if (one.state === 'waiting') return <>{one.attempts > 0 ? 'tried again' : 'due'} <Clock at={one.due_at} /></>
  if (one.state === 'failed') return <>{one.refused ? 'refused' : 'given up'}, first due <Clock at={one.owed_at} /></>
  return <>sent <Clock at={one.sent_at} />, accepted{one.acknowledged_at && <>, acknowledged <Clock at={one.acknowledged_at} />{one.acknowledged_by && ` by ${one.acknowledged_by}`}</>}</>
}

export function DeliveryTo({ one }: { one: Delivery }) {
  return <span class="delivery-to"><Icon name={one.person ? 'person' : 'sent'} size={15} /><b>{one.person ?? one.receiver}</b> <span class="dim">{one.kind}</span></span>
}

/** The log of one incident, the newest first. */
export function DeliveryList({ deliveries }: { deliveries: Delivery[] }) {
  if (deliveries.length === 0) return <p class="dim pad">Nobody: no receiver took this incident.</p>
  return (
    <ul class="aside-list">{deliveries.slice(0, 20).map((one) => (
      <li key={one.id}>
        <p class="between"><DeliveryTo one={one} /><State state={one.state} /></p>
        <p class="dim">{reasonWords(one)}: <DeliveryWords one={one} /></p>
        <p class="delivery-marks"><DeliveryMarks one={one} /></p>
        {one.last_error && one.state !== 'sent' && <p class="bad-ink">{one.last_error}</p>}
      </li>
    ))}</ul>
  )
}
