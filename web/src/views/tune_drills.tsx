// A rule over a drill: its samples in place of what alertd has stored, its trouble as what should be
// found. Which drills there are for a rule, and what one looks at.

import { useEffect, useState } from 'preact/hooks'
import { ApiError, call } from '../app/api.ts'
import { address, query } from '../app/router.ts'
import { now, zone } from '../app/settings.ts'
import { formatShort } from '../lib/time.ts'
import type { Tuning } from '../lib/tune.ts'
import { Icon } from '../ui/icon.tsx'
import { Trouble } from '../ui/parts.tsx'

interface Drills { drills: { name: string; title: string; sessions: { id: number; player: string; ended_at: string }[] }[] }

// What belongs to one past alone: the setting that is looked at goes with one to another.
const OF_A_PAST = ['drill', 'session', 'from', 'to', 'inc', 'turned', 'at', 'alert', 'ask']

/** The same setting over another past; none: the rule's own. */
export function pastPath(past: Record<string, string>): string {
  const url = new URL(address.value)
  for (const name of OF_A_PAST) url.searchParams.delete(name)
  for (const [name, value] of Object.entries(past)) url.searchParams.set(name, value)
  return url.pathname + url.search
}

export const isDrill = (): boolean => address.value.searchParams.has('drill') || address.value.searchParams.has('session')

export const drillPath = ({ name, session }: NonNullable<Tuning['drill']>): string => (session === null ? `/drills?drill=${encodeURIComponent(name)}` : `/drills/${session}`)

/** What the numbers below are of. */
export function OverDrill({ answer }: { answer: Tuning }) {
  const { drill } = answer
  if (!drill) return null
  return (
    <p class="tune-past"><Icon name="drill" size={18} /><span>
      These are the samples of the drill <a href={drillPath(drill)}>{drill.title}</a>, {drill.session === null ? 'as it goes when nobody does anything' : 'as it was played'}, not what alertd has stored. Its trouble is what should be found.</span>
      <a class="button" href={pastPath({})}>The rule’s own past</a></p>
  )
}

/** One of the pasts there are; the one that is looked at leads nowhere. */
function Past({ past, words, of }: { past: Record<string, string>; words: string; of: string }) {
  const isThis = Object.entries(past).every(([name, value]) => query(name) === value)
  if (isThis) return <span class="dim">{words}: looked at now</span>
  return <a class="button" href={pastPath(past)}>{words}<span class="hidden">, {of}</span></a>
}

function DrillList({ value }: { value: Drills }) {
  if (value.drills.length === 0) return <p class="dim">No drill expects anything of this alert. <a href="/drills">Which there are</a></p>
  return (
    <ul class="tune-drills">{value.drills.map((one) => (
      <li key={one.name}><b>{one.title}</b>
        <span class="row"><Past past={{ drill: one.name }} words="When nobody does anything" of={one.title} />
          {one.sessions.map((session) => <Past key={session.id} past={{ session: String(session.id) }} words={`As ${session.player} played it, ${formatShort(Date.parse(session.ended_at), now.peek(), zone.value)}`} of={one.title} />)}</span></li>
    ))}</ul>
  )
}

/** Asked for when it is opened: alertd reads every drill for it. */
export function TryDrills({ id }: { id: string }) {
  const [open, setOpen] = useState(false)
  const [value, setValue] = useState<Drills | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  const [again, setAgain] = useState(0)
  useEffect(() => {
    if (!open) return undefined
    const stop = new AbortController()
    call<Drills>(`/api/alertd/v1/tunings/drills?rule=${encodeURIComponent(id)}`, { signal: stop.signal })
      .then((data) => { setValue(data); setError(null) })
      .catch((reason: ApiError) => { if (reason.type !== 'cancelled') setError(reason) })
    return () => stop.abort()
  }, [open, id, again])
  return (
    <details class="tune-say" onToggle={(event) => setOpen(event.currentTarget.open)}><summary>Try it on a drill</summary>
      {error && <Trouble error={error} what="The drills could not be listed" retry={() => setAgain(again + 1)} />}
      {value && <><p class="dim">A drill knows to the second when its trouble begins. What you look at here gives that away: play it first.</p><DrillList value={value} /></>}
      {open && !value && !error && <p class="dim">Being read …</p>}
    </details>
  )
}
