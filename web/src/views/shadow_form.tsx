// Adding a shadow: who looks over whose shoulder, how, and for how long.

import { useState } from 'preact/hooks'
import { addShadow } from '../app/shadow.ts'
import { now } from '../app/settings.ts'
import type { Person, Schedule, ShadowMode, ShadowSpec } from '../app/types.ts'
import { readWall, wallText } from '../lib/roster.ts'
import { MODES } from '../lib/shadow.ts'
import { DAY, HOUR, SECOND } from '../lib/time.ts'
import { Dialog, Field } from '../ui/dialog.tsx'

const USUAL_MS = 14 * DAY
const DELAYS: [number, string][] = [[0, 'at the same time'], [60, 'after 1 minute'], [120, 'after 2 minutes'], [300, 'after 5 minutes'], [600, 'after 10 minutes']]

const nameOf = (person: Person) => (person.full_name ? `${person.full_name} (${person.name})` : person.name)

function Modes({ mode, onChoose }: { mode: ShadowMode; onChoose: (mode: ShadowMode) => void }) {
  return (
    <fieldset class="modes"><legend>How</legend>
      {MODES.map((one) => (
        <label key={one.mode} class={`mode ${one.mode === mode ? 'chosen' : ''}`}>
          <input type="radio" name="mode" checked={one.mode === mode} onChange={() => onChoose(one.mode)} />
          <span><b>{one.words}</b><small>{one.means}</small></span>
        </label>
      ))}
    </fieldset>
  )
}

function PersonField({ label, hint, usual, people, not, required, value, onChange }: { label: string; hint?: string; usual: string; people: Person[]; not: string; required: boolean; value: string; onChange: (name: string) => void }) {
  return (
    <Field label={label} hint={hint}>
      <select required={required} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">{usual}</option>
        {people.filter((one) => one.name !== not).map((one) => <option key={one.name} value={one.name}>{nameOf(one)}{one.contacts.length === 0 ? ', no contact' : ''}</option>)}
      </select>
    </Field>
  )
}

export function ShadowForm({ people, schedules, zone, usual, onClose }: { people: Person[]; schedules: Schedule[]; zone: string; usual: string; onClose: () => void }) {
  const [person, setPerson] = useState(usual)
  const [target, setTarget] = useState('')
  const [mode, setMode] = useState<ShadowMode>('own copy')
  const [mentor, setMentor] = useState('')
  const [delay, setDelay] = useState(0)
  const [begin] = useState(() => Math.floor(now.peek() / HOUR) * HOUR)
  const [from, setFrom] = useState(wallText(begin, zone))
  const [to, setTo] = useState(wallText(begin + USUAL_MS, zone))
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const unreachable = people.find((one) => one.name === person)?.contacts.length === 0

  const send = async (event: Event) => {
    event.preventDefault()
    const fromMs = readWall(from, zone)
    const toMs = readWall(to, zone)
    const cut = target.indexOf(':')
    if (fromMs === null || toMs === null || fromMs >= toMs) return setWrong('The end must be after the beginning.')
    const spec: ShadowSpec = {
      person, target_kind: target.slice(0, cut) as ShadowSpec['target_kind'], target: target.slice(cut + 1), mode,
      from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(),
      ...(mentor ? { mentor } : {}), ...(mode === 'reverse' && delay > 0 ? { after_ms: delay * SECOND } : {}),
    }
    setBusy(true)
    const done = await addShadow(spec, setWrong)
    setBusy(false)
    if (done) onClose()
  }

  return (
    <Dialog title="Add a shadow" onClose={onClose}>
      <form class="form" onSubmit={(event) => { void send(event) }}>
        <div class="two">
          <PersonField label="Who looks on" usual="Choose …" required people={people} not="" value={person} onChange={setPerson} {...(unreachable ? { hint: 'No contact: copies cannot reach them. They are seen here only.' } : {})} />
          <Field label="Whose pages">
            <select required value={target} onChange={(event) => setTarget(event.currentTarget.value)}>
              <option value="">Choose …</option>
              <optgroup label="Whoever is on call in">{schedules.map((one) => <option key={one.name} value={`schedule:${one.name}`}>{one.title ?? one.name}</option>)}</optgroup>
              <optgroup label="One person">{people.filter((one) => one.name !== person).map((one) => <option key={one.name} value={`person:${one.name}`}>{nameOf(one)}</option>)}</optgroup>
            </select>
          </Field>
        </div>
        <Modes mode={mode} onChoose={setMode} />
        <div class="two">
          <Field label="From"><input type="datetime-local" required value={from} onInput={(event) => setFrom(event.currentTarget.value)} /></Field>
          <Field label="To" hint="Two weeks are usual"><input type="datetime-local" required value={to} onInput={(event) => setTo(event.currentTarget.value)} /></Field>
        </div>
        <p class="dim form-hint">Times of {zone}</p>
        <div class={mode === 'reverse' ? 'two' : 'one'}>
          <PersonField label="Mentor (optional)" usual="Whoever is really on call" required={false} people={people} not={person} value={mentor} onChange={setMentor}
                       hint={mode === 'reverse' ? 'Gets the same page, and may take over.' : 'Signs the list, and is asked when it is over.'} />
          {mode === 'reverse' && (
            <Field label="The mentor is paged" hint="Both know what is at stake: begin with no delay.">
              <select value={delay} onChange={(event) => setDelay(Number(event.currentTarget.value))}>{DELAYS.map(([seconds, words]) => <option key={seconds} value={seconds}>{words}</option>)}</select>
            </Field>
          )}
        </div>
        {wrong && <p class="form-wrong" role="alert">{wrong}</p>}
        <div class="form-end"><button type="button" onClick={onClose}>Cancel</button><button type="submit" class="primary" disabled={busy}>Add</button></div>
      </form>
    </Dialog>
  )
}
