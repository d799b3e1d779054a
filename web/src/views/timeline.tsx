// The timeline of an incident: what machines saw and what people did, newest first, a window of
// it at a time, so that twenty thousand rows are as quick as twenty.

import type { Ref } from 'preact'
import { may } from '../app/api.ts'
import { useData } from '../app/data.ts'
import { useKey } from '../app/keyboard.ts'
import { rowsPath, standingPath } from '../app/record.ts'
import { query, setQuery } from '../app/router.ts'
import { zone } from '../app/settings.ts'
import type { Row, Rows } from '../app/types.ts'
import { count } from '../lib/number.ts'
import { windowOf } from '../lib/record.ts'
import { formatDay } from '../lib/time.ts'
import { Held } from '../ui/held.tsx'
import { Chips, Panel, Trouble, Waiting } from '../ui/parts.tsx'
import { NoteBox, type NoteHandle } from './note_box.tsx'
import { TimelineRow } from './timeline_row.tsx'

export type { NoteHandle }

/** A phone is scrolled by a thumb: what is beside the timeline comes after it there. */
const SHOWN = matchMedia('(max-width: 1080px)').matches ? 25 : 100

const FILTERS = [
  { value: '', words: 'All', query: '' }, { value: 'key', words: 'Key', query: 'level=key' },
  { value: 'human', words: 'People', query: 'class=human' }, { value: 'machine', words: 'Machines', query: 'class=machine' },
]
const PINNED = 'pinned'
const HIDDEN = 'hidden'
const KINDS = [
  { value: '', words: 'Every kind' }, { value: 'alert', words: 'Alerts' }, { value: 'notify,escalation,ack,snooze', words: 'Pages' },
  { value: 'change', words: 'Changes' }, { value: 'human.hypothesis,hypothesis', words: 'Hypotheses' },
  { value: 'human', words: 'Notes' }, { value: 'chat,comms', words: 'Messages' }, { value: 'query', words: 'Queries' },
  { value: PINNED, words: 'Pinned' }, { value: HIDDEN, words: 'Hidden too' },
]

/** What is asked for: the filters, and which window counted from the newest row. */
function asked(page: number): string {
  const only = FILTERS.find((one) => one.value === query('only'))?.query ?? ''
  const kinds = query('kinds')
  const of = kinds === PINNED ? 'pinned=1' : kinds === HIDDEN ? 'hidden=1' : kinds && `kinds=${encodeURIComponent(kinds)}`
  const parts = [only, of, query('words') && `q=${encodeURIComponent(query('words'))}`]
  return [...parts.filter(Boolean), `offset=${-SHOWN * (page + 1)}`, `limit=${SHOWN}`].join('&')
}

function Hypotheses({ incidentKey }: { incidentKey: string }) {
  const { value } = useData<Rows>(standingPath(incidentKey), ['incident'], 60_000)
  const open = (value?.events ?? []).filter((row) => row.hypothesis === 'open')
  if (open.length === 0) return null
  return (
    <section class="hypotheses" aria-label="Open hypotheses">
      <h3>What it might be</h3>
      {open.map((row) => <TimelineRow key={row.id} incidentKey={incidentKey} row={row} />)}
    </section>
  )
}

function Filters() {
  return (
    <div class="timeline-filters">
      <Chips name="Events" value={query('only')} onChoose={(value) => setQuery({ only: value, page: '' })} choices={FILTERS} />
      <select aria-label="Which rows" value={query('kinds')} onChange={(event) => setQuery({ kinds: event.currentTarget.value, page: '' })}>
        {KINDS.map((one) => <option key={one.value} value={one.value}>{one.words}</option>)}
      </select>
      <input type="search" aria-label="Words in the timeline" placeholder="Words" value={query('words')} onInput={(event) => setQuery({ words: event.currentTarget.value, page: '' })} />
    </div>
  )
}

/** The server counts from the end: a window beyond the oldest row begins at the oldest. */
function shownOf(rows: Rows, page: number): { events: Row[]; from: number; to: number; pages: number } {
  const { from, to, pages } = windowOf(page, rows.total, SHOWN)
  return { events: rows.events.slice(0, Math.max(0, to - rows.offset)).reverse(), from, to, pages }
}

function Pager({ page, pages, from, to, total }: { page: number; pages: number; from: number; to: number; total: number }) {
  const turn = (by: number) => setQuery({ page: page + by > 0 ? String(page + by) : '' })
  useKey(',', 'Newer rows of the timeline', () => turn(-1), 'This incident', page > 0)
  useKey('.', 'Older rows of the timeline', () => turn(1), 'This incident', page < pages - 1)
  if (pages < 2) return null
  return (
    <p class="pager">
      <button type="button" disabled={page === 0} onClick={() => turn(-1)}>Newer <kbd>,</kbd></button>
      <span class="num dim">{from + 1} to {to} of {total}</span>
      <button type="button" disabled={page >= pages - 1} onClick={() => turn(1)}>Older <kbd>.</kbd></button>
    </p>
  )
}

export function Timeline({ incidentKey, note }: { incidentKey: string; note: Ref<NoteHandle> }) {
  const page = Math.max(0, Number(query('page')) || 0)
  const data = useData<Rows>(rowsPath(incidentKey, asked(page)), ['incident'], 15_000)
  const shown = data.value ? shownOf(data.value, page) : null
  const days = new Set((shown?.events ?? []).map((row) => formatDay(Date.parse(row.occurred_at), zone.value)))
  return (
    <Panel id="timeline" title="Timeline" aside={data.value && <span class="dim num">{count(data.value.n_events, 'row')}</span>}>
      {may('operate') && <NoteBox incidentKey={incidentKey} note={note} />}
      <Hypotheses incidentKey={incidentKey} />
      <Filters />
      {data.error && <Trouble error={data.error} what="The timeline could not be read" retry={data.reload} />}
      {!shown && !data.error && <Waiting rows={4} />}
      {shown && shown.events.length === 0 && (
        <p class="dim pad">{query('only') === 'human' ? 'Nobody has written anything yet. What you write now is the postmortem you need not remember later.' : 'Nothing recorded here yet.'}</p>
      )}
      {shown && shown.events.length > 0 && (
        <>
          <Held items={shown.events} keyOf={(row) => String(row.id)} class="timeline">{(row) => <TimelineRow key={row.id} incidentKey={incidentKey} row={row} />}</Held>
          <Pager page={page} pages={shown.pages} from={shown.from} to={shown.to} total={data.value?.total ?? 0} />
        </>
      )}
      {days.size > 1 && <p class="foot dim">Newest first, over {days.size} days. <kbd>j</kbd> <kbd>k</kbd> walk the rows; on one: <kbd>p</kbd> pin, <kbd>x</kbd> hide, <kbd>e</kbd> write beside it, <kbd>m</kbd> move it.</p>}
    </Panel>
  )
}
