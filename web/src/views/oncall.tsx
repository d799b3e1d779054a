// On call: who it is now, until when and who is next; the coming two weeks lane by lane; what
// was agreed on; how a page climbs when nobody reacts.

import { useMemo, useState } from 'preact/hooks'
import { call, may } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { act, PEOPLE, schedulePath, SCHEDULES, takeBack, V1 } from '../app/roster.ts'
import { query, setQuery } from '../app/router.ts'
import { now, zone as viewerZone } from '../app/settings.ts'
import type { Lanes as LanesData, OnCallPerson, OnCallSchedule, Person, Policy, Schedule, Span } from '../app/types.ts'
import { count } from '../lib/number.ts'
import { daysOf, formatSpan, formatWhen } from '../lib/roster.ts'
import { formatAge } from '../lib/time.ts'
import { Icon } from '../ui/icon.tsx'
import { Ladder } from '../ui/ladder.tsx'
import { Lanes } from '../ui/lanes.tsx'
import { Chips, Empty, Page, Panel, Shown, Waiting } from '../ui/parts.tsx'
import { OverrideForm } from './override_form.tsx'
import { POLICIES, PolicyForm } from './policy_form.tsx'
import { ScheduleForm } from './schedule_form.tsx'

const DAYS = 14

const mine = () => (viewerZone.value === 'utc' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone)

function Why({ one }: { one: OnCallPerson }) {
  if (one.why === 'layer') return <>by the layer “{one.layer}”</>
  return <>{one.why === 'swap' ? 'swapped' : 'steps in'}{one.layer ? `, ${one.layer}` : ''}{one.note ? `: ${one.note}` : ''}</>
}

function NowCard({ schedule, zone }: { schedule: OnCallSchedule; zone: string }) {
  const until = (text: string | null) => (text ? `until ${formatWhen(Date.parse(text), now.value, zone)}, ${formatAge(Date.parse(text) - now.value)} more` : 'with no end in sight')
  return (
    <div class="now-card">
      <div class="now-who">
        {schedule.people.map((one) => (
          <div key={one.person} class="now-person">
            <b class="now-name">{one.full_name ?? one.person}</b>
            <span>{until(one.until)}</span>
            <span class="dim"><Why one={one} /></span>
            {!one.reachable && <span class="state bad"><Icon name="cross" size={14} />No contact: pages cannot reach them</span>}
          </div>
        ))}
        {schedule.people.length === 0 && <div class="now-person"><b class="now-name bad-ink">Nobody</b><span class="state bad"><Icon name="alarm" size={14} />A page to this schedule reaches nobody</span></div>}
      </div>
      <dl class="now-facts">
        {schedule.next && <div><dt>Next</dt><dd>{schedule.next.people.map((one) => one.full_name ?? one.person).join(', ') || <span class="bad-ink">Nobody</span>}<br /><span class="dim">{formatWhen(Date.parse(schedule.next.at), now.value, zone)}</span></dd></div>}
        {schedule.shadows.length > 0 && <div><dt>Shadows, not on call</dt><dd>{schedule.shadows.map((one) => `${one.full_name ?? one.person} (${one.mode})`).join(', ')}</dd></div>}
      </dl>
    </div>
  )
}

function Gaps({ lanes, zone }: { lanes: LanesData; zone: string }) {
  if (lanes.gaps.length === 0) return null
  const shown = lanes.gaps.slice(0, 3).map((gap) => formatSpan(Date.parse(gap.from), Date.parse(gap.to), now.value, zone))
  return <p class="gap-words"><Icon name="alarm" size={16} /><span><b>Nobody is on call</b> {shown.join('; ')}{lanes.gaps.length > 3 && `, and ${count(lanes.gaps.length - 3, 'more gap')}`}</span></p>
}

function Calendar({ schedule }: { schedule: Schedule }) {
  const [url, setUrl] = useState('')
  const [copied, setCopied] = useState(false)
  const make = () => act('', async () => { setUrl((await call<{ url: string }>(`${schedulePath(schedule.name)}/ical-secret`, { json: {} })).url); setCopied(false) })
  const copy = async () => {
    try { await navigator.clipboard.writeText(url); setCopied(true) } catch { document.querySelector<HTMLInputElement>('.ical input')?.select() }
  }
  return (
    <details class="menu">
      <summary class="button"><Icon name="link" size={16} />Calendar</summary>
      <div class="menu-list ical">
        <p>{url ? 'Give this address to a calendar program. Who has it can read the turns; it is shown this once.' : schedule.ical_since ? 'It has an address already, which is shown only when it is made. A new one ends the old one.' : 'An address that calendar programs can subscribe to, without a login.'}</p>
        {url && <div class="copy"><input type="text" readOnly value={url} aria-label="Address of the calendar" onFocus={(event) => event.currentTarget.select()} /><button type="button" onClick={() => { void copy() }}>{copied ? 'Copied' : 'Copy'}</button></div>}
        {may('operate') && <button type="button" onClick={() => { void make() }}>{url || schedule.ical_since ? 'Make a new address' : 'Make an address'}</button>}
      </div>
    </details>
  )
}

function Agreements({ schedule, zone }: { schedule: Schedule; zone: string }) {
  const ahead = schedule.overrides.filter((one) => Date.parse(one.to) > now.value || Date.parse(one.other_to ?? one.to) > now.value)
  if (ahead.length === 0) return null
  const words = { replace: 'instead of', add: 'beside', remove: 'without', swap: 'swaps with' }
  const at = (from: string, to: string) => formatSpan(Date.parse(from), Date.parse(to), now.value, zone)
  return (
    <ul class="rows agreed-list" aria-label="Agreed on">
      {ahead.map((one) => (
        <li key={one.id}>
          <span class="grow"><b>{one.person ?? ''}</b> {words[one.kind]} {one.of ?? (one.kind === 'add' ? 'whoever is on call' : 'everybody')}{one.note && <span class="dim">, {one.note}</span>}<br />
            <span class="dim">{at(one.from, one.to)}{one.other_from && one.other_to && ` for ${at(one.other_from, one.other_to)}`}</span></span>
          {may('operate') && <button type="button" aria-label={`Take back: ${one.person ?? ''} ${words[one.kind]} ${one.of ?? ''}`} onClick={() => { void takeBack(schedule.name, one.id) }}>Take back</button>}
        </li>
      ))}
    </ul>
  )
}

function SchedulePanel({ schedule, current, people }: { schedule: Schedule; current: OnCallSchedule | undefined; people: Person[] }) {
  const [there, setThere] = useState(true)
  const [picked, setPicked] = useState<Span | null>(null)
  const zone = there ? schedule.spec.zone : mine()
  const today = daysOf(now.value, 1, zone)[0]?.fromMs ?? 0
  const path = useMemo(() => {
    const days = daysOf(today, DAYS, zone)
    return `${schedulePath(schedule.name)}/spans?from=${new Date(today).toISOString()}&to=${new Date(days.at(-1)?.toMs ?? today).toISOString()}`
  }, [today, zone, schedule.name])
  const data = useData<LanesData>(path, ['roster'])
  return (
    <section class="panel on-call" id={schedule.name}>
      <header class="group-head">
        <h2>{schedule.title ?? schedule.name}</h2>{schedule.title && <span class="dim mono">{schedule.name}</span>}
        <div class="group-actions">
          {mine() !== schedule.spec.zone && <Chips name="Times" value={there ? 'there' : 'mine'} onChoose={(value) => setThere(value === 'there')} choices={[{ value: 'there', words: schedule.spec.zone }, { value: 'mine', words: `${mine()}, yours` }]} />}
          {mine() === schedule.spec.zone && <span class="dim">{schedule.spec.zone}</span>}
          <Calendar schedule={schedule} />
          {may('operate') && <a class="button" href={`/oncall?edit=${encodeURIComponent(schedule.name)}`}>Edit</a>}
        </div>
      </header>
      {current ? <NowCard schedule={current} zone={zone} /> : <Waiting rows={2} />}
      <Shown data={data} what="The lanes could not be read">{(lanes) => (
        <>
          <Gaps lanes={lanes} zone={zone} />
          <Lanes lanes={lanes} zone={zone} days={DAYS} {...(may('operate') ? { onPick: setPicked } : {})} />
          <Agreements schedule={schedule} zone={zone} />
          {picked && <OverrideForm lanes={lanes} span={picked} people={people} zone={zone} onClose={() => setPicked(null)} />}
        </>
      )}</Shown>
    </section>
  )
}

function Policies({ current }: { current: OnCallSchedule[] }) {
  const data = useData<{ policies: Policy[] }>(`${V1}/policies`, ['roster'])
  return (
    <Panel title="Escalation" aside={may('operate') ? <a class="button" href="/oncall?newpolicy=1">New policy</a> : undefined}>
      <Shown data={data} what="Policies could not be read">{({ policies }) => (policies.length === 0
        ? <p class="dim pad">No policy yet. A policy says who is paged, and who next when nobody reacts; a receiver of the config file names it.</p>
        : <div class="policies">{policies.map(({ name, spec }) => (
            <section key={name} class="policy">
              <div class="between"><span><h3>{spec.title ?? name}</h3>{spec.title && <span class="dim mono">{name}</span>}</span>{may('operate') && <a class="button" href={`/oncall?policy=${encodeURIComponent(name)}`} aria-label={`Edit policy ${name}`}>Edit</a>}</div>
              <Ladder spec={spec} current={current} />
            </section>
          ))}</div>)}</Shown>
    </Panel>
  )
}

function NoSchedules({ people }: { people: Person[] }) {
  return (
    <Panel><Empty icon="clock" title="No schedule yet">
      {people.length === 0
        ? <><p>A schedule says whose turn it is. First <a href="/people">add the people</a> who take turns, or import everything from another system:</p>
            <pre class="code" tabIndex={0} aria-label="Command">alertctl schedule import --dry-run --from=goalert export.json</pre></>
        : <><p>{count(people.length, 'person', 'people')} and nobody on call.</p>{may('operate') && <button type="button" class="primary" onClick={() => setQuery({ new: '1' }, { push: true })}>Make a schedule</button>}</>}
    </Empty></Panel>
  )
}

export function OnCall() {
  pageTitle.value = 'On call'
  const schedules = useData<{ schedules: Schedule[] }>(SCHEDULES, ['roster'])
  const current = useData<{ schedules: OnCallSchedule[] }>(`${V1}/oncall`, ['roster'], 30_000)
  const people = useData<{ people: Person[] }>(PEOPLE, ['roster'])
  const edit = query('edit')
  const everybody = people.value?.people ?? []
  const wanted = query('policy')
  const policies = useData<{ policies: Policy[] }>(wanted ? POLICIES : null, ['roster'])
  if (wanted || query('newpolicy')) {
    const policy = policies.value?.policies.find((one) => one.name === wanted)
    const ready = schedules.value && people.value && (!wanted || policies.value)
    if (!ready || (wanted && !policy)) return <Page title="On call">{ready ? <Panel><Empty icon="clock" title={`There is no policy ${wanted}`}><a href="/oncall">Back</a></Empty></Panel> : <Waiting />}</Page>
    return <PolicyForm key={wanted} policy={policy ?? null} people={everybody} schedules={schedules.value?.schedules ?? []} current={current.value?.schedules ?? []} />
  }
  if (edit || query('new')) {
    const schedule = schedules.value?.schedules.find((one) => one.name === edit)
    if (edit && !schedule) return <Page title="On call"><Shown data={schedules} what="Schedules could not be read">{() => <Panel><Empty icon="clock" title={`There is no schedule ${edit}`}><a href="/oncall">Back</a></Empty></Panel>}</Shown></Page>
    return <ScheduleForm key={edit} schedule={schedule ?? null} people={everybody} />
  }
  return (
    <Page title="On call" lead="Who is paged now, who is next, and the coming two weeks. A click on a turn steps in or swaps."
          actions={may('operate') && (schedules.value?.schedules.length ?? 0) > 0 ? <a class="button" href="/oncall?new=1">New schedule</a> : undefined}>
      <Shown data={schedules} what="Schedules could not be read">{({ schedules: list }) => (
        <div class="stack">
          {list.length === 0 && <NoSchedules people={everybody} />}
          {list.map((schedule) => <SchedulePanel key={schedule.name} schedule={schedule} people={everybody} current={current.value?.schedules.find((one) => one.name === schedule.name)} />)}
          <Policies current={current.value?.schedules ?? []} />
        </div>
      )}</Shown>
    </Page>
  )
}
