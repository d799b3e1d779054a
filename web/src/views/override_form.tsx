// Stepping in for somebody, or swapping turns: what a click on a turn opens.

import { useState } from 'preact/hooks'
import { call } from '../app/api.ts'
import { act, schedulePath } from '../app/roster.ts'
import { now } from '../app/settings.ts'
import type { Lanes, Person, Span } from '../app/types.ts'
import { formatSpan, readWall, wallText } from '../lib/roster.ts'
import { Dialog, Field } from '../ui/dialog.tsx'
import { Chips } from '../ui/parts.tsx'

interface Props { lanes: Lanes; span: Span; people: Person[]; zone: string; onClose: () => void }

const iso = (ms: number) => new Date(ms).toISOString()
const nameOf = (person: Person) => (person.full_name ? `${person.full_name} (${person.name})` : person.name)

function People({ people, not, value, onChange }: { people: Person[]; not: string | null; value: string; onChange: (name: string) => void }) {
  return (
    <select value={value} required onChange={(event) => onChange(event.currentTarget.value)}>
      <option value="">Choose …</option>
      {people.filter((one) => one.name !== not).map((one) => <option key={one.name} value={one.name}>{nameOf(one)}{one.contacts.length === 0 ? ', no contact' : ''}</option>)}
    </select>
  )
}

export function OverrideForm({ lanes, span, people, zone, onClose }: Props) {
  const [kind, setKind] = useState<'replace' | 'swap'>('replace')
  const [person, setPerson] = useState('')
  const [from, setFrom] = useState(wallText(Math.max(Date.parse(span.from), now.peek()), zone))
  const [to, setTo] = useState(wallText(Date.parse(span.to), zone))
  const [other, setOther] = useState('')
  const [note, setNote] = useState('')
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const theirs = lanes.final.filter((one) => one.person === person && Date.parse(one.to) > now.peek() && one.from !== span.from)

  const send = async (event: Event) => {
    event.preventDefault()
    const fromMs = readWall(from, zone)
    const toMs = readWall(to, zone)
    const turn = theirs.find((one) => one.from === other)
    if (fromMs === null || toMs === null || fromMs >= toMs) return setWrong('The end must be after the beginning.')
    if (kind === 'swap' && !turn) return setWrong('Choose the turn that is given in return.')
    setBusy(true)
    const body = { person, of: span.person, from: iso(fromMs), to: iso(toMs), ...(note.trim() ? { note: note.trim() } : {}),
                   ...(kind === 'swap' && turn ? { other_from: turn.from, other_to: turn.to } : {}) }
    const done = await act(kind === 'swap' ? `${person} and ${span.person ?? ''} swap` : `${person} steps in for ${span.person ?? ''}`,
                           () => call(`${schedulePath(lanes.name)}/${kind === 'swap' ? 'swaps' : 'overrides'}`, { json: body }), setWrong)
    setBusy(false)
    if (done) onClose()
  }

  return (
    <Dialog title={`${span.person ?? ''} in ${lanes.name}`} onClose={onClose}>
      <form class="form" onSubmit={(event) => { void send(event) }}>
        <p class="dim">{formatSpan(Date.parse(span.from), Date.parse(span.to), now.peek(), zone)}, times of {zone}</p>
        <Chips name="What happens" value={kind} onChoose={(value) => setKind(value as typeof kind)} choices={[{ value: 'replace', words: 'Somebody steps in' }, { value: 'swap', words: 'Two swap' }]} />
        <Field label={kind === 'swap' ? `Who swaps with ${span.person ?? ''}` : `Who steps in for ${span.person ?? ''}`}><People people={people} not={span.person} value={person} onChange={setPerson} /></Field>
        <div class="two">
          <Field label="From"><input type="datetime-local" required value={from} onInput={(event) => setFrom(event.currentTarget.value)} /></Field>
          <Field label="To"><input type="datetime-local" required value={to} onInput={(event) => setTo(event.currentTarget.value)} /></Field>
        </div>
        {kind === 'swap' && (
          <Field label={`${span.person ?? ''} takes in return`} hint={person && theirs.length === 0 ? `${person} has no turn in the days shown.` : undefined}>
            <select value={other} required onChange={(event) => setOther(event.currentTarget.value)}>
              <option value="">Choose …</option>
              {theirs.map((one) => <option key={one.from} value={one.from}>{formatSpan(Date.parse(one.from), Date.parse(one.to), now.peek(), zone)}</option>)}
            </select>
          </Field>
        )}
        <Field label="Note (optional)"><input type="text" maxLength={200} value={note} onInput={(event) => setNote(event.currentTarget.value)} /></Field>
        {wrong && <p class="form-wrong" role="alert">{wrong}</p>}
        <div class="form-end"><button type="button" onClick={onClose}>Cancel</button><button type="submit" class="primary" disabled={busy}>{kind === 'swap' ? 'Swap' : 'Step in'}</button></div>
      </form>
    </Dialog>
  )
}
