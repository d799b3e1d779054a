// One person's readiness: what is missing to the gate, the list with its evidence, and what a
// mentor signed.

import { useState } from 'preact/hooks'
import { may, me } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { isMe, nameOf, readinessPath, saveEvidence, sign, TOPICS, unsign } from '../app/shadow.ts'
import type { ReadinessCounters, ReadinessDetail, ReadinessItem } from '../app/types.ts'
import { count } from '../lib/number.ts'
import { linkOf, missing } from '../lib/shadow.ts'
import { Dialog, Field, Sure } from '../ui/dialog.tsx'
import { GateMeter } from '../ui/gate.tsx'
import { Icon } from '../ui/icon.tsx'
import { Empty, Page, Panel, Shown } from '../ui/parts.tsx'
import { Ago } from '../ui/time.tsx'

function Missing({ row }: { row: ReadinessDetail }) {
  const words = missing(row)
  return (
    <section class="panel gate-panel" aria-label="What is missing">
      <div class="grow">
        <h2>{row.gate.passed ? 'The gate is passed' : 'Not at the gate yet'}</h2>
        {words.length === 0
          ? <p>Nothing is missing. Whether {nameOf(row)} goes on call alone is for a mentor to say.</p>
          : <ul class="missing">{words.map((line) => <li key={line}>{line}</li>)}</ul>}
      </div>
      <GateMeter row={row} verdict />
    </section>
  )
}

const COUNTERS: [keyof ReadinessCounters, string][] = [
  ['pages_shadowed', 'Pages shadowed'], ['night_pages', 'At night'], ['observed', 'Observed'], ['own_copy', 'Own copies'], ['acknowledged', 'Acknowledged'], ['reverse_pages', 'Reverse'],
  ['took_over_by_mentor', 'Taken over by the mentor'], ['drills_done', 'Drills done'], ['runbooks_opened', 'Runbooks opened'],
]

/** What nothing counts yet is left out rather than shown as nought. */
function Counters({ counters }: { counters: ReadinessCounters }) {
  return (
    <dl class="strip panel">
      {COUNTERS.map(([key, words]) => counters[key] !== null && <div key={key}><dt>{words}</dt><dd class="figure num">{counters[key]}</dd></div>)}
      <div><dt>Contacts verified</dt><dd class={`figure num ${counters.contacts_verified === 0 ? 'bad-ink' : ''}`}>{counters.contacts_verified}<small class="dim"> of {counters.contacts}</small></dd></div>
    </dl>
  )
}

function Evidence({ text }: { text: string }) {
  const link = linkOf(text)
  if (!link) return <span>{text}</span>
  return link.startsWith('/') ? <a href={link}>{link}</a> : <a href={link} target="_blank" rel="noreferrer">{link.replace(/^https?:\/\//, '')}</a>
}

function ItemForm({ person, item, onClose }: { person: string; item: ReadinessItem; onClose: () => void }) {
  const [evidence, setEvidence] = useState(item.evidence ?? '')
  const [answer, setAnswer] = useState(item.answer ?? '')
  const [wrong, setWrong] = useState('')
  const send = async (event: Event) => {
    event.preventDefault()
    if (await saveEvidence(person, item.item, evidence.trim(), answer.trim(), setWrong)) onClose()
  }
  return (
    <Dialog title={item.text} onClose={onClose}>
      <form class="form" onSubmit={(event) => { void send(event) }}>
        <Field label="Evidence" hint="An address, or a sentence: where one can see that it was done."><input type="text" required maxLength={1000} value={evidence} onInput={(event) => setEvidence(event.currentTarget.value)} /></Field>
        {item.question && <Field label={item.question} hint="In your own words; the mentor reads it."><textarea rows={4} maxLength={4000} value={answer} onInput={(event) => setAnswer(event.currentTarget.value)} /></Field>}
        {wrong && <p class="form-wrong" role="alert">{wrong}</p>}
        <div class="form-end"><button type="button" onClick={onClose}>Cancel</button><button type="submit" class="primary">Save</button></div>
      </form>
    </Dialog>
  )
}

function Item({ person, item, onEdit }: { person: string; item: ReadinessItem; onEdit: () => void }) {
  const state = item.signed_at ? 'signed' : item.done_at ? 'done' : 'open'
  const mayEdit = may('operate')
  const maySign = may('operate') && !isMe(person)
  return (
    <li class={`item ${state}`}>
      <span class="item-box" aria-hidden="true">{state !== 'open' && <Icon name="check" size={14} />}</span>
      <div class="grow">
        <p class="item-text">{item.text}<span class="hidden">: {state}</span></p>
        {item.question && <p class="dim item-question">{item.question}</p>}
        {item.answer && <p class="item-answer">{item.answer}</p>}
        {item.evidence && <p class="item-evidence"><Icon name="link" size={14} /> <Evidence text={item.evidence} /> <span class="dim">· <Ago at={item.done_at} /></span></p>}
        {item.signed_at && <p class="item-signed"><Icon name="hand" size={14} /> {item.signed_by} signed <Ago at={item.signed_at} /></p>}
      </div>
      <div class="item-actions">
        {mayEdit && state !== 'signed' && <button type="button" class="quiet" onClick={onEdit}>{state === 'open' ? 'Add evidence' : 'Change'}<span class="hidden"> for {item.text}</span></button>}
        {maySign && state === 'done' && <button type="button" class="primary" onClick={() => { void sign(person, item.item) }}>Sign<span class="hidden"> {item.text}</span></button>}
        {maySign && state === 'signed' && item.signed_by === (me.value?.name ?? item.signed_by) && <Sure words="Take back" sure="Really take back" onSure={() => { void unsign(person, item.item) }} />}
      </div>
    </li>
  )
}

export function ReadinessPerson({ person }: { person: string }) {
  const data = useData<ReadinessDetail>(readinessPath(person), TOPICS)
  const [edited, setEdited] = useState<ReadinessItem | null>(null)
  const name = data.value ? nameOf(data.value) : person
  pageTitle.value = `Readiness of ${name}`
  if (data.error?.status === 404) return <Empty icon="person" title={`There is nobody called ${person}`}><p><a href="/readiness">Everybody</a></p></Empty>
  return (
    <>
      <p class="crumbs"><a href="/readiness">Readiness</a> <span aria-hidden="true">/</span> <span>{person}</span></p>
      <Page title={name} lead={data.value && <>{count(data.value.items_signed, 'item')} of {data.value.items} signed{isMe(person) ? '. Your own list: a mentor signs it' : ''}</>}
            actions={<a class="button" href={`/shadowing?person=${encodeURIComponent(person)}`}>Shadow pages</a>}>
        <Shown data={data} what="Readiness could not be read">{(row) => (
          <div class="stack">
            <Missing row={row} />
            <Counters counters={row.counters} />
            <div class="areas">{row.areas.map(({ area, items }) => (
              <Panel key={area} title={area.charAt(0).toUpperCase() + area.slice(1)} aside={<span class="dim num">{items.filter((one) => one.signed_at).length} of {items.length} signed</span>}>
                <ul class="items">{items.map((item) => <Item key={item.item} person={person} item={item} onEdit={() => setEdited(item)} />)}</ul>
              </Panel>
            ))}</div>
          </div>
        )}</Shown>
      </Page>
      {edited && <ItemForm person={person} item={edited} onClose={() => setEdited(null)} />}
    </>
  )
}
