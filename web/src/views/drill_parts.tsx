// What the pages of a running drill share: the stripes that say it is one, its clock, its moments.

import { useRef, useState } from 'preact/hooks'
import type { ComponentChildren } from 'preact'
import { may } from '../app/api.ts'
import { useData } from '../app/data.ts'
import type { Live } from '../app/drill.ts'
import type { DrillClock, Moment, Session } from '../app/drill_types.ts'
import { useKey } from '../app/keyboard.ts'
import { V1 } from '../app/roster.ts'
import { beginOf, faster, formatLength, isFresh, momentWords, nowOf, SPEEDS, wallClock } from '../lib/drill.ts'
import { formatElapsed } from '../lib/time.ts'
import { Sure } from '../ui/dialog.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import { Chips, Panel } from '../ui/parts.tsx'

/** Text that survives a reload; empty again when it was sent. */
export function useDraft(name: string): [string, (text: string) => void] {
  const kept = `draft drill ${name}`
  const [text, setText] = useState(() => localStorage.getItem(kept) ?? '')
  return [text, (next) => {
    if (next) localStorage.setItem(kept, next)
    else localStorage.removeItem(kept)
    setText(next)
  }]
}

/** Somebody really needs one of those who play: it comes before all of the drill, until somebody has it. */
function RealPage({ text, incident, session, live }: { text: string; incident: string | null; session: Session; live: Live }) {
  const real = useData<{ status: string }>(incident ? `${V1}/incidents/${incident}` : null, ['incident'], 5000)
  if (real.value ? real.value.status !== 'triggered' : incident && !real.error) return null
  return (
    <section class="drill-real-page" role="alert" aria-label="A real page">
      <Icon name="alarm" size={24} />
      <div class="grow"><p><b>This one is real.</b> {text}</p>
        <p>{session.state === 'running' ? 'The drill goes on meanwhile.' : 'The drill stands still: nothing of it is lost, whenever you come back.'}</p></div>
      {session.state === 'running' && mayMove(session) && <button type="button" onClick={() => { void live.setClock({ state: 'paused' }) }}><Icon name="pause" size={15} /> Stop the drill</button>}
      <a class="button primary" href={incident ? `/i/${incident}` : '/'}>{incident ? 'Go to the incident' : 'Go to the wall'}</a>
    </section>
  )
}

/** Where it is told what really happened: reports, or the incident it was made of. */
export function SourceLinks({ sources }: { sources: readonly string[] }) {
  const reports = sources.filter((one) => /^https?:/.test(one))
  return <>{sources.map((one) => (
    reports.includes(one)
      ? <a key={one} href={one} target="_blank" rel="noreferrer">{reports.length > 1 ? `report ${reports.indexOf(one) + 1}` : 'the report'}</a>
      : <a key={one} href={`/i/${encodeURIComponent(one)}`}>{one}</a>
  ))}</>
}

/** Whose the clock is. */
export const mayMove = (session: Session) => may('operate') && (session.role === 'master' || (session.role === 'player' && session.mode !== 'master'))

/** No page of a drill can be taken for a real one. */
export function Stripes({ session, live, children }: { session: Session; live: Live; children?: ComponentChildren }) {
  const reaches = session.page_me ? `Nothing here is real. Its pages go to ${session.role === 'player' ? 'you' : session.player} alone, marked as a drill.` : 'Nothing here is real, and nothing reaches anybody.'
  return (
    <>
      {session.banner && <RealPage text={session.banner.text} incident={session.banner.incident} session={session} live={live} />}
      <div class="drill-stripes"><b>DRILL</b>{isFresh(session) ? <span>{session.title}</span> : <h1>{session.title}</h1>}<small>{reaches}</small>{session.rules === 'now' && <small>With the rules as they are now.</small>}{children}</div>
      {session.paused_why && session.state === 'paused' && !session.banner && <p class="banner warn" role="status"><Icon name="pause" size={16} />{session.paused_why}</p>}
      {session.error && <p class="banner bad" role="alert"><Icon name="cross" size={16} />{session.error}</p>}
    </>
  )
}

interface Person { name: string; contacts: { method: string }[] }

/** Pages like real ones: whoever plays may want them, and gets them alone. */
export function PageMe({ session, live }: { session: Session; live: Live }) {
  const [busy, setBusy] = useState(false)
  const people = useData<{ people: Person[] }>(session.role === 'player' ? `${V1}/people` : null, ['roster']).value?.people
  if (session.role !== 'player' || !may('operate')) return null
  const ways = [...new Set(people?.find((one) => one.name === session.player)?.contacts.map((one) => one.method))]
  const change = (on: boolean) => { setBusy(true); void live.settle({ page_me: on }).finally(() => setBusy(false)) }
  return (
    <label class="drill-choice">
      <input type="checkbox" checked={session.page_me ?? false} disabled={busy || (ways.length === 0 && !session.page_me)} onChange={(event) => change(event.currentTarget.checked)} />
      <span><b>Page me as if it were real</b>
        <small>{people && ways.length === 0
          ? <>That needs a contact of yours: there is none of <i>{session.player}</i> under <a href="/people">People</a>.</>
          : <>Pages of this drill also go to your own contacts{ways.length > 0 && ` (${ways.join(', ')})`}, marked <i>DRILL - practice, nothing is wrong</i>. Nobody else is told. You can switch it off at any time.</>}</small></span>
    </label>
  )
}

const MARK_KINDS: Record<string, string> = { page: 'bad', happened: 'idle', act: 'accent' }

/** The drill from end to end, how far it is, and what happened where. */
function Track({ clock, nowMs, moments }: { clock: DrillClock; nowMs: number; moments: readonly Moment[] }) {
  const begin = beginOf(clock)
  const at = (ms: number) => Math.min(1000, Math.max(0, (1000 * (ms - begin)) / (clock.length_ms - begin)))
  return (
    <svg class="drill-track" viewBox="0 0 1000 14" preserveAspectRatio="none" role="img" aria-label={`${formatElapsed(nowMs - begin)} of ${formatLength(clock.length_ms - begin)}`}>
      <rect class="whole" y="5" width="1000" height="4" rx="2" />
      <rect class="gone" y="5" width={at(nowMs)} height="4" rx="2" />
      {moments.filter((one) => MARK_KINDS[one.kind]).map((one) => <rect key={one.n} class={`mark ${MARK_KINDS[one.kind] ?? ''}`} x={at(one.at_ms) - 1.5} y={one.kind === 'page' ? 0 : 3} width="3" height={one.kind === 'page' ? 14 : 8} />)}
    </svg>
  )
}

/** Four times a second, and only this leaf. */
function Now({ live, session }: { live: Live; session: Session }) {
  const nowMs = live.nowMs.value
  return (
    <>
      <div class="drill-now"><span class="num" aria-hidden="true">{wallClock(session.clock, nowMs)}</span><small>UTC, in the drill</small></div>
      <div class="drill-gone"><span class="num dim">{formatElapsed(nowMs - beginOf(session.clock))} of {formatLength(session.clock.length_ms - beginOf(session.clock))}</span><Track clock={session.clock} nowMs={nowMs} moments={session.moments} /></div>
    </>
  )
}

/** mayJump: to where the trouble begins. */
export function ClockBar({ live, session, canMove, canEnd, children }: { live: Live; session: Session; canMove: boolean; canEnd: boolean; children?: ComponentChildren }) {
  const runs = session.state === 'running'
  const { speed } = session.clock
  const toggle = () => { void live.setClock({ state: runs ? 'paused' : 'running' }) }
  const change = (by: 1 | -1) => { void live.setClock({ speed: faster(speed, by) }) }
  useKey('p', runs ? 'Stop the clock' : 'Let the clock run', toggle, 'This drill', canMove)
  useKey('+', 'Time passes faster', () => change(1), 'This drill', canMove)
  useKey('-', 'Time passes slower', () => change(-1), 'This drill', canMove)
  return (
    <section class={`drill-clock ${session.state}`} aria-label="The drill’s clock">
      <Now live={live} session={session} />
      <div class="drill-clock-buttons">
        {canMove && <>
          <button type="button" class={runs ? '' : 'primary'} onClick={toggle}><Icon name={runs ? 'pause' : 'play'} size={15} /> {runs ? 'Pause' : 'Run'} <kbd>p</kbd></button>
          <span class="drill-speed" role="group" aria-label="Speed">
            <button type="button" class="quiet" aria-label="Slower" title="Slower (-)" disabled={speed <= SPEEDS[0]} onClick={() => change(-1)}>−</button>
            <b class="num" aria-live="polite">{speed}×</b>
            <button type="button" class="quiet" aria-label="Faster" title="Faster (+)" disabled={speed >= 60} onClick={() => change(1)}>+</button>
          </span>
        </>}
        {!canMove && <span class={`state ${runs ? 'ok' : 'warn'}`}><Icon name={runs ? 'play' : 'pause'} size={14} />{runs ? `Runs at ${speed}×` : 'Stands still'}</span>}
        {children}
        {canEnd && <Sure words="End" sure="Really end it" onSure={() => { void live.end() }} />}
      </div>
    </section>
  )
}

const ICONS: Record<string, IconName> = { pending: 'clock', firing: 'bang', resolved: 'check', opened: 'incidents', over: 'check', page: 'alarm', nobody: 'cross', told: 'sent', happened: 'note', act: 'person', hint: 'question', broken: 'cross' }
const SAID_ICONS: Record<string, IconName> = { deploy: 'rules', log: 'machine', customer: 'person', chat: 'note', note: 'note' }

export function MomentRow({ moment, clock, you }: { moment: Moment; clock: DrillClock; you: string }) {
  const { who, text, tone, quoted } = momentWords(moment, you)
  const icon = (moment.kind === 'happened' ? SAID_ICONS[moment.who ?? ''] : undefined) ?? ICONS[moment.kind] ?? 'machine'
  return (
    <li class={`event ${moment.kind === 'act' ? 'human' : 'machine'}`} data-row tabIndex={0}>
      <time title={`${formatElapsed(moment.at_ms - beginOf(clock))} after the start`}>{wallClock(clock, moment.at_ms)}</time>
      <span class={`dot ${tone}`}><Icon name={icon} size={14} /></span>
      <div class="event-words"><p class={quoted ? 'drill-said' : ''}>{text}</p><p class="event-source">{who}</p></div>
    </li>
  )
}

const FILTERS: { value: string; words: string; has: (moment: Moment) => boolean }[] = [
  { value: '', words: 'All', has: () => true },
  { value: 'said', words: 'Said', has: (one) => one.kind === 'happened' },
  { value: 'alerts', words: 'Alerts and pages', has: (one) => !['happened', 'act', 'hint'].includes(one.kind) },
  { value: 'done', words: 'Done', has: (one) => one.kind === 'act' || one.kind === 'hint' },
]
const SHOWN_MAX = 30

/** The newest first: what just happened is read without scrolling. */
export function Moments({ session, you = 'You', title = 'What happens' }: { session: Session; you?: string; title?: string }) {
  const [filter, setFilter] = useState('')
  const [all, setAll] = useState(false)
  const list = useRef<HTMLOListElement>(null)
  const has = FILTERS.find((one) => one.value === filter)?.has ?? (() => true)
  const rows = session.moments.filter(has).reverse()
  return (
    <Panel id="drill-moments" title={title} label={title} aside={<Chips name="Which moments" value={filter} choices={FILTERS.map((one) => ({ value: one.value, words: one.words, n: session.moments.filter(one.has).length }))} onChoose={setFilter} />}>
      {rows.length === 0
        ? <p class="dim pad">Nothing yet. {session.state === 'paused' ? 'The clock stands still.' : 'It may take a while, as on any shift.'}</p>
        : <ol class="timeline" ref={list}>{rows.slice(0, all ? undefined : SHOWN_MAX).map((one) => <MomentRow key={one.n} moment={one} clock={session.clock} you={you} />)}</ol>}
      {!all && rows.length > SHOWN_MAX && <p class="center"><button type="button" onClick={() => setAll(true)}>{rows.length - SHOWN_MAX} earlier ones</button></p>}
    </Panel>
  )
}

/** A line to write and to send; Enter sends, Shift+Enter begins a line. */
export function SendBox({ name, label, hint, button, icon, onSend, inputRef, disabled = false }: {
  name: string; label: string; hint: string; button: string; icon: IconName; onSend: (text: string) => void
  inputRef?: { current: HTMLTextAreaElement | null }; disabled?: boolean
}) {
  const [text, setText] = useDraft(name)
  const send = () => {
    const said = text.trim()
    if (!said || disabled) return
    setText('')
    onSend(said)
  }
  return (
    <form class="drill-send" onSubmit={(event) => { event.preventDefault(); send() }}>
      <textarea ref={inputRef} rows={2} maxLength={1000} aria-label={label} placeholder={hint} value={text} disabled={disabled}
                onInput={(event) => setText(event.currentTarget.value)}
                onKeyDown={(event) => { if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); send() } }} />
      <button type="submit" disabled={disabled || !text.trim()}><Icon name={icon} size={16} /> {button}</button>
    </form>
  )
}

/** Where a drill is by its last answer, for what need not tick. */
export const stillNow = (session: Session) => nowOf(session.clock, 'paused', 0)
