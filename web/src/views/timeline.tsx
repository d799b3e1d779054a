// One timeline of what machines saw and what people did, and a box that is always ready.
//
// (1) What is typed is never lost: it is kept in the tab until alertd has it.
// (2) A note may say when it was: "14:05 restarted nginx". A click in the graph writes the time.

import { useEffect, useImperativeHandle, useRef, useState } from 'preact/hooks'
import type { Ref } from 'preact'
import { addNote } from '../app/actions.ts'
import { ApiError, may } from '../app/api.ts'
import { query, setQuery } from '../app/router.ts'
import { now, zone } from '../app/settings.ts'
import { say } from '../app/toast.ts'
import type { IncidentDetail, TimelineEvent } from '../app/types.ts'
import { formatClock, formatDay, formatExact, parseNote, parseTime } from '../lib/time.ts'
import { Held } from '../ui/held.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import { Chips, Panel } from '../ui/parts.tsx'
import { Clock } from '../ui/time.tsx'

export interface NoteHandle { focus: () => void; at: (atMs: number) => void }

function look(event: TimelineEvent): { icon: IconName; tone: string } {
  const kind = event.kind
  if (kind === 'ack' || kind.endsWith('.ack') || kind === 'incident.acknowledged') return { icon: 'hand', tone: 'accent' }
  if (event.class === 'human') return { icon: kind.includes('resolved') ? 'check' : 'note', tone: 'accent' }
  if (kind.startsWith('notify.')) return kind.endsWith('failed') ? { icon: 'cross', tone: 'bad' } : { icon: 'sent', tone: 'idle' }
  if (kind.endsWith('resolved')) return { icon: 'check', tone: 'ok' }
  if (kind.endsWith('pending')) return { icon: 'clock', tone: 'warn' }
  if (kind.startsWith('agent.')) return { icon: 'agents', tone: kind.endsWith('lost') ? 'bad' : 'idle' }
  if (kind.endsWith('firing') || kind.endsWith('opened')) return { icon: 'bang', tone: 'bad' }
  return { icon: 'machine', tone: 'idle' }
}

function Row({ event }: { event: TimelineEvent }) {
  const { icon, tone } = look(event)
  const late = (parseTime(event.recorded_at) ?? 0) - (parseTime(event.occurred_at) ?? 0) > 60_000
  return (
    <div class={`event ${event.class}`}>
      <Clock at={event.occurred_at} />
      <span class={`dot ${tone}`}><Icon name={icon} size={14} /></span>
      <div class="event-words">
        <p>{event.text}</p>
        <p class="event-source">{event.actor ?? event.source}<span> · {event.kind}</span>{late && event.class === 'human' && <span> · written <Clock at={event.recorded_at} /></span>}</p>
      </div>
    </div>
  )
}

function NoteBox({ incident, note }: { incident: IncidentDetail; note: Ref<NoteHandle> }) {
  const kept = `note ${incident.key}`
  const [text, setText] = useState(() => sessionStorage.getItem(kept) ?? '')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const box = useRef<HTMLTextAreaElement>(null)
  const parsed = parseNote(text, now.value, zone.value)

  // At once, not after the next paint: a reload may come before it.
  const write = (next: string) => {
    if (next) sessionStorage.setItem(kept, next)
    else sessionStorage.removeItem(kept)
    setText(next)
  }

  useEffect(() => {
    const area = box.current
    if (area) {
      area.style.height = 'auto'
      area.style.height = `${area.scrollHeight + 2}px`
    }
  }, [text])
  useImperativeHandle(note, () => ({
    focus: () => box.current?.focus(),
    at: (atMs) => {
      if (now.peek() - atMs > 23 * 3_600_000) {
        say(`The note box takes times of the last 24 hours; this is ${formatExact(atMs, zone.peek())}`)
        return
      }
      write(`${formatClock(atMs, zone.peek())} ${parseNote(text, now.peek(), zone.peek()).text}`)
      box.current?.focus()
    },
  }), [text])

  const send = async () => {
    if (!parsed.text || busy) return
    setBusy(true)
    try {
      await addNote(incident.key, parsed.text, parsed.atMs === null ? null : new Date(parsed.atMs).toISOString())
      write('')
      setProblem('')
    } catch (error) {
      setProblem(`Not saved: ${error instanceof ApiError ? error.message : String(error)}. It stays here until it is.`)
    }
    setBusy(false)
  }

  return (
    <form class="note" onSubmit={(event) => { event.preventDefault(); void send() }}>
      <label class="hidden" for="note">Note for the timeline</label>
      <textarea id="note" ref={box} rows={1} value={text} placeholder="What did you see or do? Begin with 14:05 for an earlier time."
                onInput={(event) => write(event.currentTarget.value)}
                onKeyDown={(event) => { if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); void send() } }} />
      <button type="submit" class={parsed.text ? 'primary' : ''} disabled={busy || !parsed.text}>{busy ? 'Saving …' : 'Add note'}</button>
      <p class="note-hint dim">{problem
        ? <span class="bad-ink" role="alert">{problem}</span>
        : parsed.atMs !== null && parsed.text
          ? <>will be filed at <b>{formatExact(parsed.atMs, zone.value)}</b></>
          : <>Enter adds it, Shift+Enter starts a line</>}</p>
    </form>
  )
}

export function Timeline({ incident, note }: { incident: IncidentDetail; note: Ref<NoteHandle> }) {
  const only = query('only')
  const people = incident.timeline.filter((event) => event.class === 'human').length
  const events = incident.timeline
    .filter((event) => !only || event.class === only)
    .sort((a, b) => Date.parse(b.occurred_at) - Date.parse(a.occurred_at) || b.id - a.id)
  const days = new Set(events.map((event) => formatDay(Date.parse(event.occurred_at), zone.value)))
  return (
    <Panel title="Timeline" aside={
      <Chips name="Events" value={only} onChoose={(value) => setQuery({ only: value })} choices={[
        { value: '', words: 'All', n: incident.timeline.length }, { value: 'human', words: 'People', n: people },
        { value: 'machine', words: 'Machines', n: incident.timeline.length - people },
      ]} />}>
      {may('operate') && <NoteBox incident={incident} note={note} />}
      {events.length === 0
        ? <p class="dim pad">{only === 'human' ? 'Nobody has written anything yet. What you write now is the postmortem you need not remember later.' : 'Nothing recorded yet.'}</p>
        : <Held items={events} keyOf={(event) => String(event.id)} class="timeline">{(event) => <Row key={event.id} event={event} />}</Held>}
      {days.size > 1 && <p class="foot dim">Newest first, over {days.size} days.</p>}
    </Panel>
  )
}
