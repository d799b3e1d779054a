// People: who they are, how they are reached, and whether that was ever proved.

import { useState } from 'preact/hooks'
import { call, may } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { act, PEOPLE, personPath } from '../app/roster.ts'
import type { Contact, Person } from '../app/types.ts'
import { count } from '../lib/number.ts'
import { Dialog, Field, Sure } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { Empty, Page, Panel, Shown, State } from '../ui/parts.tsx'
import { Ago } from '../ui/time.tsx'

const METHODS: Record<string, string> = {
  email: 'a mail address', ntfy: 'https://ntfy.sh/topic', webhook: 'https://…', slack: "an incoming webhook's address",
  telegram: "a chat's number", pagerduty: 'a routing key', command: 'a receiver of the config file',
}

function Verified({ contact }: { contact: Contact }) {
  if (contact.broken) return <span class="state bad" title={contact.broken}><Icon name="cross" size={14} />Cannot be used</span>
  if (contact.verified_at) return <span class="state ok"><Icon name="check" size={14} />Verified <Ago at={contact.verified_at} /></span>
  if (contact.tested_at) return contact.outcome === 'accepted'
    ? <span class="state warn"><Icon name="clock" size={14} />Test sent <Ago at={contact.tested_at} />, not confirmed</span>
    : <span class="state bad"><Icon name="cross" size={14} />Test not delivered</span>
  return <State state="unknown" words="Never tested" />
}

function ContactRow({ person, contact, index }: { person: Person; contact: Contact; index: number }) {
  const [busy, setBusy] = useState(false)
  const test = async () => {
    setBusy(true)
    let sent: { outcome: string; words: string | null } = { outcome: '', words: null }
    await act('', async () => { sent = await call(`${personPath(person.name)}/contacts/${index}/test`, { json: {} }) })
      .then((done) => done && act(sent.outcome === 'accepted' ? `Sent. ${person.full_name ?? person.name} confirms by the link in it` : '', () => (sent.outcome === 'accepted' ? Promise.resolve() : Promise.reject(new Error(`Not sent: ${sent.words ?? sent.outcome}`)))))
    setBusy(false)
  }
  const trouble = contact.broken ?? (contact.outcome && contact.outcome !== 'accepted' && !contact.verified_at ? contact.words : null)
  return (
    <tr>
      <td><b>{contact.method}</b></td>
      <td class="wide"><span class="mono contact-address">{contact.address}</span>{trouble && <div class="contact-trouble bad-ink">{trouble}</div>}</td>
      <td><Verified contact={contact} /></td>
      <td class="right">{may('operate') && <button type="button" disabled={busy} onClick={() => { void test() }}>{busy ? 'Sending …' : 'Send a test'}<span class="hidden"> by {contact.method} to {person.full_name ?? person.name}</span></button>}</td>
    </tr>
  )
}

function PersonPanel({ person, onEdit }: { person: Person; onEdit: () => void }) {
  return (
    <section class="panel person" id={person.name}>
      <header class="group-head">
        <h2>{person.full_name ?? person.name}</h2>{person.full_name && <span class="dim mono">{person.name}</span>}{person.zone && <span class="dim">{person.zone}</span>}
        <div class="group-actions">{may('admin') && <button type="button" aria-label={`Edit ${person.full_name ?? person.name}`} onClick={onEdit}>Edit</button>}</div>
      </header>
      {person.warnings.map((words) => <p key={words} class="gap-words warn"><Icon name="alarm" size={16} /><span>{words.charAt(0).toUpperCase() + words.slice(1)}</span></p>)}
      {person.contacts.length > 0 && <table class="list contacts"><thead><tr><th>Method</th><th>Address</th><th>Proof</th><th><span class="hidden">Test</span></th></tr></thead>
        <tbody>{person.contacts.map((contact, i) => <ContactRow key={`${contact.method} ${i}`} person={person} contact={contact} index={i} />)}</tbody></table>}
    </section>
  )
}

interface Draft { method: string; address: string; keep: number | null; shown: string }

function PersonForm({ person, onClose }: { person: Person | null; onClose: () => void }) {
  const [revision] = useState(person?.revision) // the one that is edited: `person` follows what others save
  const [name, setName] = useState(person?.name ?? '')
  const [fullName, setFullName] = useState(person?.full_name ?? '')
  const [zone, setZone] = useState(person?.zone ?? (person ? '' : Intl.DateTimeFormat().resolvedOptions().timeZone))
  const [contacts, setContacts] = useState<Draft[]>(person?.contacts.map((one, i) => ({ method: one.method, address: '', keep: i, shown: one.address })) ?? [{ method: 'email', address: '', keep: null, shown: '' }])
  const [wrong, setWrong] = useState('')
  const set = (i: number, change: Partial<Draft>) => setContacts(contacts.map((one, at) => (at === i ? { ...one, ...change } : one)))
  const save = async (event: Event) => {
    event.preventDefault()
    const json = {
      name, ...(fullName.trim() ? { full_name: fullName.trim() } : {}), ...(zone.trim() ? { zone: zone.trim() } : {}),
      contacts: contacts.map((one) => (one.keep !== null && one.address === '' ? { method: one.method, keep: one.keep } : { method: one.method, address: one.address })),
    }
    const done = await act(`${fullName || name} is saved`, () => (person ? call(`${personPath(person.name)}?revision=${revision}`, { method: 'PUT', json }) : call(PEOPLE, { json })), setWrong)
    if (done) onClose()
  }
  const remove = async () => { if (person && await act(`${person.name} is deleted`, () => call(`${personPath(person.name)}?revision=${revision}`, { method: 'DELETE' }), setWrong)) onClose() }
  return (
    <Dialog title={person ? `Edit ${person.full_name ?? person.name}` : 'Add somebody'} onClose={onClose}>
      <form class="form" onSubmit={(event) => { void save(event) }}>
        <div class="two">
          <Field label="Name" hint={person ? 'It stays: schedules refer to it.' : 'Short, as in ana'}><input type="text" required maxLength={100} disabled={person !== null} value={name} onInput={(event) => setName(event.currentTarget.value)} /></Field>
          <Field label="Full name (optional)"><input type="text" maxLength={200} value={fullName} onInput={(event) => setFullName(event.currentTarget.value)} /></Field>
        </div>
        <Field label="Time zone (optional)"><input type="text" value={zone} onInput={(event) => setZone(event.currentTarget.value)} /></Field>
        <fieldset><legend>Contacts, in this order</legend>
          {contacts.map((one, i) => (
            <div key={i} class="contact-draft">
              <select aria-label={`Method of contact ${i + 1}`} value={one.method} onChange={(event) => set(i, { method: event.currentTarget.value, keep: null })}>{Object.keys(METHODS).map((method) => <option key={method} value={method}>{method}</option>)}</select>
              <input type="text" aria-label={`Address of contact ${i + 1}`} required={one.keep === null} placeholder={one.keep !== null ? `${one.shown}, kept` : METHODS[one.method]} value={one.address} onInput={(event) => set(i, { address: event.currentTarget.value })} />
              <button type="button" class="quiet" aria-label={`Without contact ${i + 1}`} onClick={() => setContacts(contacts.filter((_, at) => at !== i))}><Icon name="cross" size={16} /></button>
            </div>
          ))}
          <button type="button" onClick={() => setContacts([...contacts, { method: 'email', address: '', keep: null, shown: '' }])}>Add a contact</button>
        </fieldset>
        {wrong && <p class="form-wrong" role="alert">{wrong}</p>}
        <div class="form-end">{person && <Sure words="Delete" sure="Really delete" onSure={() => { void remove() }} />}<button type="button" onClick={onClose}>Cancel</button><button type="submit" class="primary">Save</button></div>
      </form>
    </Dialog>
  )
}

export function People() {
  pageTitle.value = 'People'
  const data = useData<{ people: Person[] }>(PEOPLE, ['roster'])
  const [edited, setEdited] = useState<Person | 'new' | null>(null)
  const unproved = data.value?.people.filter((one) => one.warnings.length > 0).length ?? 0
  return (
    <Page title="People" lead={unproved > 0 ? `${count(unproved, 'person', 'people')} may not be reached by a page.` : 'Who can be paged, and how.'}
          actions={may('admin') ? <button type="button" class="primary" onClick={() => setEdited('new')}>Add somebody</button> : undefined}>
      <Shown data={data} what="People could not be read">{({ people }) => (
        <div class="stack">
          {people.length === 0 && <Panel><Empty icon="person" title="Nobody can be paged yet"><p>People have contacts: mail, push, a webhook. Each is proved by a test whose link they press.</p>
            <pre class="code" tabIndex={0} aria-label="Command">alertctl person add ana --contact=email:ana@example.org</pre></Empty></Panel>}
          {people.map((person) => <PersonPanel key={person.name} person={person} onEdit={() => setEdited(person)} />)}
        </div>
      )}</Shown>
      {edited && <PersonForm person={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />}
    </Page>
  )
}
