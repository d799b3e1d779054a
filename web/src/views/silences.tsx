// Silences: what nobody is told of, until when, why, and what that mutes right now.

import { call, may } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { changed, useData } from '../app/data.ts'
import { act, V1 } from '../app/roster.ts'
import { address, query, setQuery } from '../app/router.ts'
import { now, zone } from '../app/settings.ts'
import type { Fires, Silence } from '../app/types.ts'
import { count } from '../lib/number.ts'
import { formatSpan } from '../lib/roster.ts'
import { matcherText, readMatcher } from '../lib/silence.ts'
import { DAY, formatAge, HOUR } from '../lib/time.ts'
import { Sure } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { Chips, Empty, Page, Panel, Shown, State } from '../ui/parts.tsx'
import { Clock } from '../ui/time.tsx'
import { SilenceForm } from './silence_form.tsx'

export const SILENCES = `${V1}/silences`
const LONGER = [{ words: '1 h longer', ms: HOUR }, { words: '4 h longer', ms: 4 * HOUR }, { words: '1 day longer', ms: DAY }]

const theZone = () => (zone.value === 'utc' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone)

/** "Wed 2 Dec 02:00 – 04:00", by the reader's clock. */
export const stretchWords = (one: { from: string; to: string }) => formatSpan(Date.parse(one.from), Date.parse(one.to), now.value, theZone())

function Ends({ silence }: { silence: Silence }) {
  if (silence.state === 'expired') return <>ended <Clock at={silence.ends_at} /></>
  const left = (at: string) => formatAge(Math.max(0, Date.parse(at) - now.value))
  const end = silence.until_resolved ? <>until it is resolved{silence.ends_at && <>, <Clock at={silence.ends_at} /> at the latest</>}</>
    : silence.ends_at ? <>until <Clock at={silence.ends_at} />, {left(silence.ends_at)} more</> : <>until somebody ends it</>
  return Date.parse(silence.starts_at) > now.value ? <>from <Clock at={silence.starts_at} /> {end}</> : end
}

function Recurs({ silence }: { silence: Silence }) {
  if (!silence.window_text) return null
  return (
    <p class="recurs"><Icon name="clock" size={15} /><span><b>{silence.window_text}</b>
      {silence.muting_until && <span class="dim"> · now until <Clock at={silence.muting_until} /></span>}
      {(silence.next?.length ?? 0) > 0 && <span class="dim"> · next {silence.next?.map(stretchWords).join(', then ')}</span>}</span></p>
  )
}

/** What it mutes, each with its incident; before it begins, what it would. */
function Muted({ silence, fires }: { silence: Silence; fires: Fires[] }) {
  if (silence.state === 'expired') return null
  const muted = fires.filter((one) => one.silenced_by.includes(silence.id))
  if (silence.state === 'active' && muted.length > 0) {
    return (
      <p class="muted-list"><b>{count(muted.length, 'alert')} muted:</b>{muted.slice(0, 8).map((one) => (
        <span key={one.fingerprint}>{one.incident ? <a href={`/i/${one.incident}`}>{one.name ?? one.fingerprint}</a> : one.name ?? one.fingerprint}{one.labels['instance'] && <span class="dim"> {one.labels['instance']}</span>}</span>
      ))}{muted.length > 8 && <span class="dim">and {muted.length - 8} more</span>}</p>
    )
  }
  if (silence.matches_now > 0) return <p class="dim">It would mute {count(silence.matches_now, 'alert')} that fires now.</p>
  return <p class={`${silence.state === 'active' ? 'warn-ink' : 'dim'} silence-nothing`}><Icon name="question" size={15} />Matches nothing that fires now</p>
}

function Row({ silence, fires }: { silence: Silence; fires: Fires[] }) {
  const words = silence.matchers.map(matcherText).join(', ')
  const path = `${SILENCES}/${silence.id}`
  const does = async (done: string, ask: () => Promise<unknown>) => { await act(done, ask); changed('silences') }
  return (
    <li class={`silence ${silence.state}`} id={silence.id}>
      <div class="silence-top">
        <State state={silence.state} {...(silence.state === 'pending' ? { words: silence.window ? 'Between times' : 'Not yet' } : {})} />
        <span class="labels">{silence.matchers.map((one) => <span key={matcherText(one)} class="label mono">{matcherText(one)}</span>)}</span>
        {may('operate') && silence.state !== 'expired' && (
          <div class="group-actions silence-do">
            {silence.ends_at && <details class="menu"><summary class="button" aria-label={`Longer: ${words}`}>Longer</summary><div class="menu-list">
              {LONGER.map((one) => <button key={one.words} type="button" onClick={(event) => { event.currentTarget.closest('details')?.removeAttribute('open'); void does(`${one.words}`, () => call(`${path}/extend`, { json: { duration_ms: one.ms } })) }}>{one.words}</button>)}</div></details>}
            <a class="button" href={`/silences?edit=${silence.id}`} aria-label={`Edit: ${words}`}>Edit</a>
            <Sure words="End now" sure="Really end it" onSure={() => { void does('Ended: what it muted is told again', () => call(path, { method: 'DELETE' })) }} />
          </div>
        )}
        {may('operate') && silence.state === 'expired' && <div class="group-actions silence-do"><a class="button" href={`/silences?${['new=1', ...silence.matchers.map((one) => `m=${encodeURIComponent(matcherText(one))}`)].join('&')}`} aria-label={`Silence again: ${words}`}>Again</a></div>}
      </div>
      <p class="silence-why">{silence.comment}</p>
      <Recurs silence={silence} />
      <Muted silence={silence} fires={fires} />
      <p class="dim">{silence.created_by} · <Ends silence={silence} /></p>
    </li>
  )
}

const SECTIONS = [{ state: 'active', title: 'Muting now' }, { state: 'pending', title: 'Not yet, or between its times' }, { state: 'expired', title: 'Ended in the last five days' }] as const

function List({ silences, fires }: { silences: Silence[]; fires: Fires[] }) {
  const state = query('state')
  const filter = query('q').toLowerCase()
  const found = silences.filter((one) => `${one.matchers.map(matcherText).join(' ')} ${one.comment} ${one.created_by}`.toLowerCase().includes(filter))
  const of = (name: string) => found.filter((one) => one.state === name)
  return (
    <>
      <div class="filters">
        <Chips name="State" value={state} onChoose={(value) => setQuery({ state: value })} choices={[{ value: '', words: 'All', n: found.length },
          { value: 'active', words: 'Muting', n: of('active').length }, { value: 'pending', words: 'Pending', n: of('pending').length }, { value: 'expired', words: 'Ended', n: of('expired').length }]} />
        <input data-filter type="search" placeholder="Filter by label, comment or person" aria-label="Filter silences" value={query('q')} onInput={(event) => setQuery({ q: event.currentTarget.value })} />
      </div>
      {silences.length === 0 && <Panel><Empty icon="mute" title="No silence: everything that fires is told">
        <p>A silence mutes alerts by their labels for a while, with a reason: before maintenance, or while something known is mended. {may('operate') ? <>It is made here, on an alert, or with <code>alertctl silence add</code>.</> : ''}</p></Empty></Panel>}
      {silences.length > 0 && found.length === 0 && <Panel><Empty icon="mute" title="No silence matches"><button type="button" onClick={() => setQuery({ q: '', state: '' })}>Show all</button></Empty></Panel>}
      <div class="stack">
        {SECTIONS.filter((section) => (!state || state === section.state) && of(section.state).length > 0).map((section) => (
          <Panel key={section.state} title={section.title}><ul class="silences">{of(section.state).map((one) => <Row key={one.id} silence={one} fires={fires} />)}</ul></Panel>
        ))}
      </div>
    </>
  )
}

export function Silences() {
  pageTitle.value = 'Silences'
  const data = useData<{ silences: Silence[] }>(`${SILENCES}?state=all`, ['silences', 'alerts'], 30_000)
  const fires = useData<{ alerts: Fires[] }>(`${V1}/alerts`, ['silences', 'alerts'], 30_000)
  const edit = query('edit')
  if (query('new')) {
    const matchers = address.value.searchParams.getAll('m').map(readMatcher).filter((one) => one !== null)
    return <SilenceForm key="new" silence={null} matchers={matchers} />
  }
  if (edit) {
    const silence = data.value?.silences.find((one) => one.id === edit)
    if (silence) return <SilenceForm key={edit} silence={silence} matchers={silence.matchers} />
    return <Page title="Silences"><Shown data={data} what="Silences could not be read">{() => <Panel><Empty icon="mute" title="There is no such silence"><a href="/silences">All silences</a></Empty></Panel>}</Shown></Page>
  }
  return (
    <Page title="Silences" lead="What nobody is told of, until when, and why." actions={may('operate') ? <a class="button" href="/silences?new=1">New silence</a> : undefined}>
      <Shown data={data} what="Silences could not be read">{({ silences }) => <List silences={silences} fires={fires.value?.alerts ?? []} />}</Shown>
    </Page>
  )
}
