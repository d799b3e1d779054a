// Shadowing: who looks over whose shoulder, now and next, and the pages they got copies of.

import { useState } from 'preact/hooks'
import { may } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { useKey } from '../app/keyboard.ts'
import { PEOPLE, SCHEDULES } from '../app/roster.ts'
import { query, setQuery } from '../app/router.ts'
import { now, zone as viewerZone } from '../app/settings.ts'
import { endShadow, isMe, nameOf, SHADOW_PAGES, SHADOWS, TOPICS } from '../app/shadow.ts'
import type { Person, Schedule, Shadow, ShadowPage } from '../app/types.ts'
import { count } from '../lib/number.ts'
import { formatWait, formatWhen } from '../lib/roster.ts'
import { byWhen, MODES, progressWords, stateOf, type When } from '../lib/shadow.ts'
import { formatAge } from '../lib/time.ts'
import { Sure } from '../ui/dialog.tsx'
import { Held } from '../ui/held.tsx'
import { Icon } from '../ui/icon.tsx'
import { Empty, Page, Panel, Severity, Shown } from '../ui/parts.tsx'
import { Ago, Clock } from '../ui/time.tsx'
import { ShadowForm } from './shadow_form.tsx'

const PAGES_MAX = 100
const zoneNow = () => (viewerZone.value === 'utc' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone)

interface Names { person: (name: string) => string; schedule: (name: string) => string }

export function ModeTag({ mode }: { mode: string }) {
  const known = MODES.find((one) => one.mode === mode)
  return <span class={`mode-tag ${mode === 'reverse' ? 'reverse' : ''}`} title={known?.means}>{known?.words ?? mode}</span>
}

function ShadowRow({ shadow, when, names }: { shadow: Shadow; when: When; names: Names }) {
  const { spec } = shadow
  const at = (text: string) => formatWhen(Date.parse(text), now.value, zoneNow())
  const words = {
    now: () => <>until {at(spec.to)}, <span class="num">{formatAge(Date.parse(spec.to) - now.value)}</span> more</>,
    next: () => <>from {at(spec.from)}, in <span class="num">{formatAge(Date.parse(spec.from) - now.value)}</span>, until {at(spec.to)}</>,
    over: () => <>{at(spec.from)} – {at(spec.to)}</>,
  }
  const whose = spec.target_kind === 'schedule' ? names.schedule(spec.target) : names.person(spec.target)
  return (
    <li class={`looks-on ${when}`}>
      <div class="grow">
        <p class="looks-on-who"><b>{names.person(spec.person)}</b> <span class="dim">{when === 'over' ? 'shadowed' : 'shadows'}</span> <b>{whose}</b>{spec.target_kind === 'schedule' && <span class="dim"> (whoever is on call)</span>} <ModeTag mode={spec.mode} /></p>
        <p class="dim">{words[when]()}{spec.mentor && <> · mentor {names.person(spec.mentor)}</>}{spec.mode === 'reverse' && <> · the mentor is paged {spec.after_ms ? `${formatWait(spec.after_ms)} later` : 'at the same time'}</>}</p>
      </div>
      {when !== 'over' && may('operate') && <Sure words={when === 'now' ? 'End' : 'Take back'} sure={when === 'now' ? 'Really end now' : 'Really take back'} onSure={() => { void endShadow(shadow, when === 'now', Date.now()) }} />}
    </li>
  )
}

function Shadows({ shadows, names }: { shadows: Shadow[]; names: Names }) {
  const { now: running, next, over } = byWhen(shadows, now.value)
  const list = (when: When, items: Shadow[]) => <ul class="rows tall">{items.map((one) => <ShadowRow key={one.id} shadow={one} when={when} names={names} />)}</ul>
  return (
    <Panel title="Who looks on" aside={<span class="dim">{running.length === 0 ? 'nobody now' : `${count(running.length, 'shadow')} now`}{next.length > 0 && `, ${next.length} next`}</span>}>
      {running.length + next.length === 0 && <p class="dim pad">Nobody shadows anybody now, and nobody is going to.</p>}
      {running.length > 0 && list('now', running)}
      {next.length > 0 && <><h3 class="list-head">Next</h3>{list('next', next)}</>}
      {over.length > 0 && <details class="more looked-on"><summary>{count(over.length, 'shadow')} ended</summary>{list('over', over)}</details>}
    </Panel>
  )
}

function PageRow({ page, gone, one }: { page: ShadowPage; gone: boolean; one: boolean }) {
  const state = stateOf(page)
  const open = page.answers.answered_at === null
  return (
    <div class={`incident shadow-row ${open ? 'todo' : ''} ${gone ? 'gone' : ''}`}>
      <a data-row class="incident-main" href={`/shadowing/${page.id}`}>
        <span class="incident-title">{page.incident.title}</span>
        <span class="incident-facts">
          <span class={`state ${state.tone}`}><Icon name={state.icon} size={14} />{state.words}</span>
          {!one && <span><Icon name="person" size={14} /> {nameOf(page)}</span>}
          <ModeTag mode={page.mode} />
          <Severity severity={page.incident.severity} />
          <span class="dim">{progressWords(page)}</span>
        </span>
      </a>
      <span class="incident-side"><span class="dim"><Clock at={page.made_at} /></span><span class="dim"><Ago at={page.made_at} /></span></span>
    </div>
  )
}

function NoPages({ person, any }: { person: string; any: boolean }) {
  return (
    <Empty icon="shadow" title={person ? `${person} got no copy of a page yet` : 'No page was copied yet'}>
      <p>{any ? 'When whoever they shadow is paged, a marked copy comes here and to their contacts: with its own buttons, and nothing in it touches the incident.' : 'Add a shadow, and the next page to whoever they shadow is copied here.'}</p>
    </Empty>
  )
}

function Pages({ person, people, any }: { person: string; people: Person[]; any: boolean }) {
  const data = useData<{ shadow_pages: ShadowPage[] }>(`${SHADOW_PAGES}?limit=${PAGES_MAX}${person ? `&person=${encodeURIComponent(person)}` : ''}`, TOPICS, 15_000)
  if (!any && !person && !data.error && !data.value?.shadow_pages.length) return null
  return (
    <Panel title="Shadow pages" aside={people.length > 0 && (
      <label class="beside"><span>Of</span>
        <select data-filter value={person} onChange={(event) => setQuery({ person: event.currentTarget.value })}>
          <option value="">everybody</option>
          {people.map((one) => <option key={one.name} value={one.name}>{one.full_name ?? one.name}{isMe(one.name) ? ', you' : ''}</option>)}
        </select>
      </label>)}>
      <Shown data={data} what="Shadow pages could not be read">{({ shadow_pages: pages }) => (pages.length === 0
        ? <NoPages person={people.find((one) => one.name === person)?.full_name ?? person} any={any} />
        : <>
            <Held items={pages} keyOf={(page) => String(page.id)} class="incident-list">{(page, gone) => <PageRow key={page.id} page={page} gone={gone} one={person !== ''} />}</Held>
            {pages.length === PAGES_MAX && <p class="foot dim">The newest {PAGES_MAX}.</p>}
          </>)}</Shown>
    </Panel>
  )
}

export function Shadowing() {
  pageTitle.value = 'Shadowing'
  const shadows = useData<{ shadows: Shadow[] }>(SHADOWS, ['roster'])
  const people = useData<{ people: Person[] }>(PEOPLE, ['roster']).value?.people ?? []
  const schedules = useData<{ schedules: Schedule[] }>(SCHEDULES, ['roster']).value?.schedules ?? []
  const [adding, setAdding] = useState(false)
  const person = query('person')
  const canAdd = may('operate') && people.length > 1
  useKey('n', 'Add a shadow', () => setAdding(true), 'Shadowing', canAdd)
  const names: Names = {
    person: (name) => people.find((one) => one.name === name)?.full_name ?? name,
    schedule: (name) => schedules.find((one) => one.name === name)?.title ?? name,
  }
  return (
    <Page title="Shadowing" lead="Newcomers get copies of real pages, and cannot do harm."
          actions={<><a class="button" href="/readiness">Readiness</a>{canAdd && <button type="button" class="primary" onClick={() => setAdding(true)}>Add a shadow</button>}</>}>
      <Shown data={shadows} what="Shadows could not be read">{({ shadows: list }) => (
        <div class="stack">
          {list.length === 0 && (
            <Panel><Empty icon="shadow" title="Nobody shadows anybody">
              <p>A shadow gets a marked copy of each page of a person or a schedule, guesses what it is, and then sees what was really done. Two weeks of it are a good beginning.</p>
              {people.length < 2 ? <p><a href="/people">Add the people</a> first: at least who is on call, and who looks on.</p> : canAdd && <button type="button" class="primary" onClick={() => setAdding(true)}>Add a shadow</button>}
            </Empty></Panel>
          )}
          {list.length > 0 && <Shadows shadows={list} names={names} />}
          <Pages key={person} person={person} people={people} any={list.length > 0} />
        </div>
      )}</Shown>
      {adding && <ShadowForm people={people} schedules={schedules} zone={zoneNow()} usual={person} onClose={() => setAdding(false)} />}
    </Page>
  )
}
