// An escalation policy as a ladder: who is paged when, rung by rung, if nobody reacts.

import type { OnCallSchedule, Policy } from '../app/types.ts'
import { formatWait, policyWords, type Target } from '../lib/roster.ts'
import { Icon } from './icon.tsx'

function Who({ target, current }: { target: Target; current: OnCallSchedule[] }) {
  const schedule = target.schedule ? current.find((one) => one.name === target.schedule) : undefined
  const now = schedule?.people.map((one) => one.full_name ?? one.person).join(', ')
  return (
    <span class="rung-who"><Icon name={target.person ? 'person' : target.schedule ? 'clock' : 'sent'} size={15} />
      <span>{target.person ?? (target.schedule ? <>who is on call in <b>{target.schedule}</b></> : <>receiver {target.receiver}</>)}
        {schedule && <span class={now ? 'dim' : 'bad-ink'}> (now {now || 'nobody'})</span>}</span></span>
  )
}

export function Ladder({ spec, current }: { spec: Policy['spec']; current: OnCallSchedule[] }) {
  return (
    <>
      <ol class="ladder">
        {policyWords(spec).map((line, i) => (
          <li key={`${i} ${line.when}`} class={`rung ${line.targets ? '' : 'again'}`}>
            <b class="rung-when">{line.when}</b>
            {line.targets ? <span class="rung-list">{line.targets.length === 0 && <span class="bad-ink">nobody</span>}{line.targets.map((target, at) => <Who key={at} target={target} current={current} />)}</span> : <span class="rung-list"><span class="rung-who"><Icon name="up" size={15} />{line.what}</span></span>}
          </li>
        ))}
      </ol>
      <p class="dim ladder-ack">{spec.ack_expires_ms > 0 ? `An acknowledgement holds for ${formatWait(spec.ack_expires_ms)}; then it goes on.` : 'An acknowledgement ends it.'}</p>
    </>
  )
}
