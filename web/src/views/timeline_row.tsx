// One row of a timeline, and what a person may think of it. A machine's row keeps its time and
// words; a person's can be moved and said better, with a reason. Keys work on the row that has
// the focus: p pin, x hide, e words beside it, m another time; on a hypothesis y and f.

import { useRef, useState } from 'preact/hooks'
import { may } from '../app/api.ts'
import { revise, tryRow } from '../app/record.ts'
import { now, zone } from '../app/settings.ts'
import type { Row } from '../app/types.ts'
import { kindWords, parseAt } from '../lib/record.ts'
import { formatExact, parseTime } from '../lib/time.ts'
import { Icon, type IconName } from '../ui/icon.tsx'
import { Clock } from '../ui/time.tsx'

export function look(kind: string, by: Row['class']): { icon: IconName; tone: string } {
  if (kind === 'ack' || kind.endsWith('.ack') || kind === 'incident.acknowledged') return { icon: 'hand', tone: 'accent' }
  if (kind.startsWith('change')) return { icon: 'rules', tone: 'warn' }
  if (kind.startsWith('hypothesis.') || kind === 'human.hypothesis') return { icon: 'question', tone: 'accent' }
  if (kind.startsWith('impact.')) return { icon: 'bang', tone: kind.endsWith('end') ? 'ok' : 'bad' }
  if (kind === 'mitigation.applied') return { icon: 'check', tone: 'ok' }
  if (kind === 'cause.identified') return { icon: 'bang', tone: 'accent' }
  if (kind.startsWith('incident.role')) return { icon: 'person', tone: 'accent' }
  if (by === 'human' && !/^(alert|notify)\./.test(kind)) return { icon: kind.includes('resolved') ? 'check' : 'note', tone: 'accent' }
  if (kind.startsWith('notify.')) return kind.endsWith('failed') ? { icon: 'cross', tone: 'bad' } : { icon: 'sent', tone: 'idle' }
  if (kind.endsWith('resolved')) return { icon: 'check', tone: 'ok' }
  if (kind.endsWith('pending')) return { icon: 'clock', tone: 'warn' }
  if (kind.startsWith('agent.')) return { icon: 'agents', tone: kind.endsWith('lost') ? 'bad' : 'idle' }
  if (kind.endsWith('firing') || kind.endsWith('opened')) return { icon: 'bang', tone: 'bad' }
  return { icon: 'machine', tone: 'idle' }
}

const HYPOTHESIS = { open: 'not yet decided', confirmed: 'confirmed', refuted: 'refuted' }

type Editing = null | 'note' | 'time' | 'text'

function Editor({ incidentKey, row, what, done }: { incidentKey: string; row: Row; what: 'note' | 'time' | 'text'; done: () => void }) {
  const first = { note: row.note ?? '', text: row.text, time: formatExact(parseTime(row.occurred_at) ?? 0, zone.peek()).replace(/ UTC$/, '') }[what]
  const [value, setValue] = useState(first)
  const [reason, setReason] = useState('')
  const atMs = what === 'time' ? parseAt(value, now.value, zone.value) : null
  const save = async () => {
    if (what === 'time' && atMs === null) return
    const changed = what === 'note' ? await revise(incidentKey, row, { op: 'annotate', value })
      : what === 'text' ? await revise(incidentKey, row, { op: 'retext', value, reason })
        : await revise(incidentKey, row, { op: 'retime', value: new Date(atMs ?? 0).toISOString(), precision: /:\d\d:\d\d/.test(value) ? 's' : 'min', reason })
    if (changed) done()
  }
  const label = { note: 'Words beside it', time: 'When it was', text: 'What it should say' }[what]
  return (
    <form class="row-editor" onSubmit={(event) => { event.preventDefault(); void save() }}
          onKeyDown={(event) => { event.stopPropagation(); if (event.key === 'Escape') done() }}>
      <label>{label}<input type="text" value={value} ref={(input) => { if (input && !input.dataset['seen']) { input.dataset['seen'] = '1'; input.focus(); input.select() } }} onInput={(event) => setValue(event.currentTarget.value)} /></label>
      {what !== 'note' && <label>Why<input type="text" value={reason} required onInput={(event) => setReason(event.currentTarget.value)} /></label>}
      {what === 'time' && <p class="dim">{atMs === null ? 'A time like 14:02, or 2026-11-23 14:02' : <>will stand at <b>{formatExact(atMs, zone.value)}</b></>}</p>}
      <p class="row-buttons"><button type="submit" class="primary">Save</button><button type="button" onClick={done}>Cancel</button></p>
    </form>
  )
}

interface Act { key: string; words: string; run: () => void }

function actsOf(incidentKey: string, row: Row, edit: (what: Editing) => void): Act[] {
  const by = (op: string) => () => { void revise(incidentKey, row, { op }) }
  const judge = (kind: string, words: string) => () => { void tryRow(incidentKey, { kind, text: `${words}: ${row.text}`, about: row.id }) }
  const acts: Act[] = [
    { key: 'p', words: row.pinned ? 'Unpin' : 'Pin', run: by(row.pinned ? 'unpin' : 'pin') },
    { key: 'x', words: row.hidden ? 'Show again' : 'Hide', run: by(row.hidden ? 'unhide' : 'hide') },
    { key: 'e', words: row.note ? 'Change the words beside it' : 'Write beside it', run: () => edit('note') },
  ]
  if (row.class === 'human') acts.push({ key: 'm', words: 'Move to another time', run: () => edit('time') }, { key: 'w', words: 'Say it better', run: () => edit('text') })
  if (row.hypothesis && row.hypothesis !== 'confirmed') acts.push({ key: 'y', words: 'Confirm', run: judge('hypothesis.confirmed', 'confirmed') })
  if (row.hypothesis && row.hypothesis !== 'refuted') acts.push({ key: 'f', words: 'Refute', run: judge('hypothesis.refuted', 'refuted') })
  if (row.hypothesis && row.hypothesis !== 'open') acts.push({ key: 'o', words: 'Open it again', run: judge('hypothesis.open', 'open again') })
  return acts
}

function Facts({ row }: { row: Row }) {
  const name = row.class === 'human' ? kindWords(row.kind) : row.kind
  return (
    <p class="event-source">
      {row.actor ?? row.source}<span> · {name}</span>
      {row.scope && <span> · {row.scope}</span>}
      {(row.precision === 'approx' || row.order_only) && <span> · {row.order_only ? 'time not known, only its place' : 'about then'}</span>}
      {row.added_later && <span> · written <Clock at={row.recorded_at} /></span>}
      {row.recorded && <span title={`Recorded: ${row.recorded.text}`}> · changed, was <Clock at={row.recorded.occurred_at} /></span>}
      {row.hidden && <span> · hidden</span>}
      {row.retracted && <span> · taken back</span>}
    </p>
  )
}

function Evidence({ row }: { row: Row }) {
  if (!row.evidence) return null
  const { query, value, unit, link } = row.evidence
  return (
    <p class="evidence">
      {query && <a href={`/explore?expr=${encodeURIComponent(query)}`}><code>{query}</code></a>}
      {value !== undefined && <> = <b class="num">{String(value)}{unit ?? ''}</b></>}
      {link && /^https?:\/\//.test(link) && <> <a href={link} target="_blank" rel="noreferrer">evidence</a></>}
    </p>
  )
}

export function TimelineRow({ incidentKey, row }: { incidentKey: string; row: Row }) {
  const [editing, setEditing] = useState<Editing>(null)
  const [menu, setMenu] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  const { icon, tone } = look(row.kind, row.class)
  const acts = may('operate') ? actsOf(incidentKey, row, setEditing) : []
  const done = () => { setEditing(null); box.current?.focus() }
  const press = (event: KeyboardEvent) => {
    if (editing || event.ctrlKey || event.metaKey || event.altKey || event.target !== box.current) return
    const act = acts.find((one) => one.key === event.key)
    if (!act) return
    event.preventDefault()
    event.stopPropagation()
    act.run()
  }
  return (
    <div ref={box} id={`e${row.id}`} class={`event ${row.class} level-${row.level}${row.pinned ? ' pinned' : ''}${row.hidden || row.retracted ? ' away' : ''}`} data-row tabIndex={0} onKeyDown={press}>
      <Clock at={row.occurred_at} />
      <span class={`dot ${tone}`}><Icon name={icon} size={14} /></span>
      <div class="event-words">
        <p>{row.kind === 'human.command' ? <code>{row.text}</code> : row.text}{row.hypothesis && <span class={`judged ${row.hypothesis}`}>{HYPOTHESIS[row.hypothesis]}</span>}</p>
        <Evidence row={row} />
        {row.conflict && <p class="conflict"><Icon name="bang" size={13} /> Another source: {row.conflict}</p>}
        {row.note && <p class="beside">{row.note}</p>}
        <Facts row={row} />
        {editing && <Editor incidentKey={incidentKey} row={row} what={editing} done={done} />}
      </div>
      {acts.length > 0 && (
        <details class="menu row-menu" open={menu} onToggle={(event) => setMenu(event.currentTarget.open)}>
          <summary class="quiet" aria-label="Change this row" title="Change this row"><Icon name={row.pinned ? 'check' : 'more'} size={16} /></summary>
          {menu && (
            <div class="menu-list">
              {acts.map((act) => <button key={act.key} type="button" onClick={() => { setMenu(false); act.run() }}>{act.words}<kbd>{act.key}</kbd></button>)}
            </div>
          )}
        </details>
      )}
    </div>
  )
}
