// One shadow page, for its trainee: what the page says, a copy to acknowledge that touches
// nothing, what they think it is, three taps, and then what was really done.

import { useEffect, useRef, useState } from 'preact/hooks'
import type { ComponentChildren, Ref } from 'preact'
import { incidentData } from '../app/actions.ts'
import { may } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { useKept, type Kept } from '../app/kept.ts'
import { useKey } from '../app/keyboard.ts'
import { acknowledgeCopy, isMe, markOpened, markSeen, nameOf, saveAnswers, saveText, shadowPagePath, TOPICS } from '../app/shadow.ts'
import type { IncidentAlert, IncidentDetail, ShadowAnswers, ShadowPage as Page } from '../app/types.ts'
import { formatValue } from '../lib/number.ts'
import { formatLag, stepsOf, type Step } from '../lib/shadow.ts'
import { Icon } from '../ui/icon.tsx'
import { Empty, Labels, Panel, Severity, Shown, State, Waiting } from '../ui/parts.tsx'
import { Ago, Clock, Elapsed } from '../ui/time.tsx'
import { Compare } from './shadow_compare.tsx'
import { ModeTag } from './shadowing.tsx'

const whose = (page: Page) => (page.of.kind === 'schedule' ? `whoever is on call in ${page.of.name}` : page.of.name)

/** What this page is, said before anything can be pressed. */
function Banner({ page, mine, children }: { page: Page; mine: boolean; children: ComponentChildren }) {
  const you = mine ? 'you' : nameOf(page)
  if (page.mode === 'reverse') {
    return (
      <p class="practice real"><Icon name="alarm" size={18} /><span><b>Reverse: this page is real.</b> {mine ? 'You were' : `${you} was`} paged first; {page.mentor} stands behind {mine ? 'you' : 'them'} and may take over. <a href={`/i/${page.incident.key}`}>The incident</a> is where it is acknowledged.</span>{children}</p>
    )
  }
  return <p class="practice"><Icon name="shadow" size={18} /><span><b>Practice copy.</b> The real page went to {whose(page)}. Nothing {you} {mine ? 'do' : 'does'} here touches the incident.</span>{children}</p>
}

const STEP_WORDS: Record<Step, string> = { seen: 'Seen', acknowledged: 'Acknowledged', hypothesis: 'First guess', answered: 'Answered' }

function Steps({ page }: { page: Page }) {
  return (
    <ol class={`steps n${page.mode === 'observe' ? 3 : 4}`} aria-label="How far it is">
      {stepsOf(page).map(({ step, at, lagMs }) => (
        <li key={step} class={at ? 'done' : ''}>
          <span class="step-dot">{at && <Icon name="check" size={13} />}</span>
          <span class="step-name">{STEP_WORDS[step]}</span>
          <span class="step-at num">{at && lagMs !== null ? <>after {formatLag(lagMs)}</> : <span class="dim">not yet</span>}</span>
        </li>
      ))}
    </ol>
  )
}

function Buttons({ page, mine }: { page: Page; mine: boolean }) {
  const seen = page.seen_at !== null
  const acknowledged = page.acknowledged_at !== null
  useKey('s', 'I have seen it', () => { void markSeen(page) }, 'This shadow page', !seen)
  useKey('a', 'Acknowledge my copy', () => { void acknowledgeCopy(page) }, 'This shadow page', !acknowledged && page.mode === 'own copy')
  if (seen && (acknowledged || page.mode !== 'own copy')) return null
  return (
    <div class="incident-actions">
      {!seen && <button type="button" class={page.mode === 'own copy' ? '' : 'primary'} onClick={() => { void markSeen(page) }}><Icon name="check" size={17} /> I have seen it <kbd>s</kbd></button>}
      {!acknowledged && page.mode === 'own copy' && <button type="button" class="primary" onClick={() => { void acknowledgeCopy(page) }}><Icon name="hand" size={17} /> Acknowledge {mine ? 'my' : 'their'} copy <kbd>a</kbd></button>}
      {page.mode === 'own copy' && !acknowledged && <span class="dim no-harm">Only the copy: the real incident goes on as it is.</span>}
    </div>
  )
}

function Header({ page, mine, mayAct }: { page: Page; mine: boolean; mayAct: boolean }) {
  return (
    <header class="incident-head">
      <p class="crumbs"><a href="/shadowing">Shadowing</a> <span aria-hidden="true">/</span> <a href={`/shadowing?person=${encodeURIComponent(page.person)}`}>{mine ? 'yours' : nameOf(page)}</a></p>
      <div class="incident-top">
        <div class="grow">
          <h1>{page.incident.title}</h1>
          <p class="incident-facts"><ModeTag mode={page.mode} /><Severity severity={page.incident.severity} /><span class="num dim">{page.incident.key}</span>
            <span class="dim">copied <Ago at={page.made_at} /></span><span class="dim">{page.mode === 'reverse' ? `${page.mentor} stands behind` : `mentor ${page.mentor}`}</span></p>
        </div>
        {page.answers.answered_at === null && <p class="big-clock"><Elapsed from={page.made_at} to={null} /><small>since the page</small></p>}
      </div>
      {mayAct && <Buttons page={page} mine={mine} />}
    </header>
  )
}

function AlertWords({ alert }: { alert: IncidentAlert }) {
  const words = [alert.annotations['summary'], alert.annotations['description']].filter(Boolean)
  return (
    <li>
      <p><b>{alert.name}</b>{alert.value !== null && <span class="dim"> value <span class="num">{formatValue(alert.value)}</span></span>}</p>
      {words.map((line) => <p key={line}>{line}</p>)}
      <Labels labels={Object.fromEntries(Object.entries(alert.labels).filter(([name]) => name !== 'alertname' && name !== 'severity'))} />
      <p class="page-links">
        {alert.expr && <a href={`/explore?expr=${encodeURIComponent(alert.left ?? alert.expr)}`}><Icon name="explore" size={15} /> Its graph</a>}
        {alert.runbook_url && <a href={alert.runbook_url}><Icon name="book" size={15} /> Runbook</a>}
      </p>
    </li>
  )
}

/** Where the copy went: a quiet foot, loud only when it did not arrive. */
function Copies({ page }: { page: Page }) {
  if (page.deliveries.length === 0) return <p class="foot dim">The copy is only here: {nameOf(page)} had no <a href={`/people#${page.person}`}>contact</a>.</p>
  return (
    <ul class="foot copies" aria-label="Where the copy went">
      {page.deliveries.map((one, i) => (
        <li key={i}><span class="dim">{page.mode === 'reverse' ? 'Paged' : 'Copy'} by {one.kind}</span> <State state={one.state} />{one.sent_at && <span class="dim"><Clock at={one.sent_at} /></span>}
          {one.error && one.state !== 'sent' && <span class="bad-ink">{one.error}</span>}</li>
      ))}
    </ul>
  )
}

/** What the page said, and where to look: not what anybody did about it. */
function PageText({ page }: { page: Page }) {
  const { value } = useData<IncidentDetail>(incidentData(page.incident.key), ['alerts'], 60_000)
  return (
    <Panel title="What the page says">
      {value === undefined ? <Waiting rows={2} /> : <ul class="aside-list page-text">{value.alerts.map((alert, i) => <AlertWords key={i} alert={alert} />)}{value.alerts.length === 0 && <li>{page.incident.title}</li>}</ul>}
      <Copies page={page} />
    </Panel>
  )
}

const SAYS = { clean: 'Saved', dirty: 'Not saved yet', saving: 'Saving …', failed: 'Not saved, trying again' }

function KeptField({ kept, id, label, hint, rows, max, area, readOnly, empty }: { kept: Kept; id: string; label: string; hint: string; rows: number; max: number; area?: Ref<HTMLTextAreaElement>; readOnly: boolean; empty: boolean }) {
  return (
    <div class="kept">
      <div class="between"><label for={id}>{label}</label>
        {!readOnly && !(empty && kept.keeping === 'clean') && <span class={`saving ${kept.keeping}`} role="status" title={kept.problem}>{SAYS[kept.keeping]}</span>}</div>
      <textarea id={id} ref={area} rows={rows} maxLength={max} readOnly={readOnly} value={kept.text} placeholder={readOnly ? 'Nothing yet' : hint}
                onInput={(event) => kept.type(event.currentTarget.value)} onBlur={() => { void kept.saveNow() }} />
      {kept.keeping === 'failed' && kept.problem && <p class="bad-ink kept-problem" role="alert">{kept.problem}</p>}
    </div>
  )
}

const QUESTIONS: { key: keyof Omit<ShadowAnswers, 'answered_at'>; asks: string; means: string }[] = [
  { key: 'acted_on', asks: 'Would you act on it?', means: 'Somebody has to do something about it, now.' },
  { key: 'made_sense', asks: 'Did it make sense?', means: 'You understood what the page says and why it came.' },
  { key: 'knew_where', asks: 'Did you know where to look?', means: 'A dashboard, a log, a runbook: the first place you went to was right.' },
]

function Answers({ page, readOnly }: { page: Page; readOnly: boolean }) {
  const { answered_at: at, ...said } = page.answers
  const tap = (key: keyof typeof said, value: boolean) => { void saveAnswers(page, { ...said, [key]: said[key] === value ? null : value }) }
  return (
    <Panel title={<><span class="step-number">2</span> Three taps</>} label="Three taps" aside={at && <span class="state ok"><Icon name="check" size={14} />Answered <Ago at={at} /></span>}>
      <ul class="taps">
        {QUESTIONS.map(({ key, asks, means }) => (
          <li key={key}>
            <span class="grow"><b id={`ask-${key}`}>{asks}</b><small>{means}</small></span>
            <span class="tap" role="group" aria-labelledby={`ask-${key}`}>
              {([true, false] as const).map((value) => <button key={String(value)} type="button" class="toggle" disabled={readOnly} aria-pressed={said[key] === value} onClick={() => tap(key, value)}>{value ? 'Yes' : 'No'}</button>)}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function Inside({ page }: { page: Page }) {
  const itsMe = isMe(page.person)
  const mine = page.yours
  const [forThem, setForThem] = useState(false)
  const readOnly = !may('operate') || !(mine || forThem)
  const guess = useKept(`hypothesis ${page.id}`, page.hypothesis ?? '', (text) => saveText(page, 'hypothesis', text), (text) => text.trim() !== '')
  const notes = useKept(`notes ${page.id}`, page.notes ?? '', (text) => saveText(page, 'notes', text))
  const guessArea = useRef<HTMLTextAreaElement>(null)
  const notesArea = useRef<HTMLTextAreaElement>(null)
  useKey('h', 'Write what you think it is', () => guessArea.current?.focus(), 'This shadow page', !readOnly)
  useKey('n', 'Write a note', () => notesArea.current?.focus(), 'This shadow page', !readOnly)
  const [told, setTold] = useState(false)
  useEffect(() => {
    if (itsMe && !readOnly && page.opened_at === null && !told) {
      setTold(true)
      void markOpened(page)
    }
  }, [page.id, itsMe, readOnly])
  return (
    <div class="incident-page shadow-page">
      <Header page={page} mine={mine} mayAct={!readOnly} />
      <Banner page={page} mine={mine}>{may('operate') && readOnly && <button type="button" onClick={() => setForThem(true)}>Fill in for {nameOf(page)}</button>}</Banner>
      <Steps page={page} />
      <div class="halves">
        <PageText page={page} />
        <div class="stack">
          <Panel title={<><span class="step-number">1</span> What is it?</>} label="What is it?">
            <div class="kept-fields">
              <KeptField kept={guess} id="hypothesis" label={mine ? 'What you think it is' : `What ${nameOf(page)} thinks it is`} rows={3} max={2000} area={guessArea} readOnly={readOnly} empty={!page.hypothesis}
                         hint="The cause, as well as you can tell now. It may be wrong: that is what it is for." />
              <KeptField kept={notes} id="notes" label="Notes" rows={4} max={4000} area={notesArea} readOnly={readOnly} empty={!page.notes}
                         hint="Where you looked, what you saw, what you would do." />
            </div>
          </Panel>
          <Answers page={page} readOnly={readOnly} />
        </div>
      </div>
      <Compare page={page} you={mine ? 'You' : nameOf(page)} guessed={guess.saveNow} />
    </div>
  )
}

export function ShadowPage({ id }: { id: string }) {
  const data = useData<Page>(shadowPagePath(id), TOPICS, 15_000)
  pageTitle.value = data.value ? `Shadow: ${data.value.incident.title}` : 'Shadow page'
  if (data.error?.status === 404) return <Empty icon="shadow" title="There is no such shadow page"><p><a href="/shadowing">All shadow pages</a></p></Empty>
  return <Shown data={data} what="The shadow page could not be read">{(page) => <Inside key={page.id} page={page} />}</Shown>
}
