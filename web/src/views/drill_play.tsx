// The player's desk: an incident that never was, on a clock of its own, with the tools of real ones.
//
//     brief --Start--> all is quiet, time flies --page--> time slows, work --over, End--> /drills/N
//
// One line always says what a newcomer would do next, and which key does it.

import { useEffect, useRef, useState } from 'preact/hooks'
import { call, may } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { playPath, sessionPath, useLive, wordsOf, type Live } from '../app/drill.ts'
import type { Session } from '../app/drill_types.ts'
import { useKey } from '../app/keyboard.ts'
import { go, query } from '../app/router.ts'
import { announce, say } from '../app/toast.ts'
import { AskedOf } from '../chart/asked.ts'
import { beginOf, formatLength, isFresh, isPaper, nextStep, openIncidents, waiting, type NextStep, type StepId } from '../lib/drill.ts'
import { Icon } from '../ui/icon.tsx'
import { Chips, Empty, Panel, Trouble, Waiting } from '../ui/parts.tsx'
import { Incidents, lookAt, Look, booksOf, useGraphs } from './drill_look.tsx'
import { ClockBar, mayMove, Moments, PageMe, Stripes } from './drill_parts.tsx'
import { DoNow, Guess, Hints, Notes, People, Questions } from './drill_think.tsx'

const WAIT_SPEEDS = ['1', '10', '30', '60']
const WORK_SPEEDS = ['1', '2', '5', '10'].map((value) => ({ value, words: `${value}×` }))
const readChoice = (name: string, usual: string, known: readonly string[]) => {
  const kept = localStorage.getItem(name)
  return kept !== null && known.includes(kept) ? kept : usual
}

/** Told first, in peace: who you are, what you hold, and how time passes. */
function Brief({ session, live, canMove }: { session: Session; live: Live; canMove: boolean }) {
  const [wait, setWait] = useState(() => readChoice('drill wait', '60', WAIT_SPEEDS))
  const [work, setWork] = useState(() => readChoice('drill work', '1', WORK_SPEEDS.map(({ value }) => value)))
  const button = useRef<HTMLButtonElement>(null)
  const begin = async () => {
    if (session.clock.slow_to !== Number(work)) await live.settle({ slow_to: Number(work) })
    await live.setClock({ speed: Number(wait), state: 'running' })
  }
  useKey('p', 'Start the clock', () => { void begin() }, 'This drill', canMove)
  useEffect(() => { button.current?.focus({ preventScroll: true }) }, [])
  const keep = (name: string, set: (value: string) => void) => (value: string) => { localStorage.setItem(name, value); set(value) }
  return (
    <section class="drill-brief panel" aria-label="Brief">
      <p class="drill-kicker">Before you begin</p>
      <h1>{session.title}</h1>
      <p class="drill-brief-words">{session.brief}</p>
      {session.you && <p class="dim">In it you are <b>{session.you}</b>{(session.oncall?.length ?? 0) > 1 && <>; when you do not answer, {session.oncall?.slice(1).join(', then ')} is paged</>}.</p>}
      <ul class="drill-rules">
        <li><Icon name="clock" /><span><b>{formatLength(session.clock.length_ms - beginOf(session.clock))} of incident</b>, at the speed you like. Stop the clock whenever you want: nothing happens while it stands.</span></li>
        <li><Icon name="question" /><span><b>Each next step is shown</b> above your desk, with its key. <kbd>?</kbd> lists all keys.</span></li>
        <li><Icon name="check" /><span><b>Nothing can break.</b> Write what you think and what you would do, in your own words. Wrong turns are how one learns.</span></li>
      </ul>
      <PageMe session={session} live={live} />
      {canMove && (
        <div class="drill-pace">
          <div><span>While nothing happens</span><Chips name="Speed while nothing happens" value={wait} choices={WAIT_SPEEDS.map((value) => ({ value, words: `${value}×` }))} onChoose={keep('drill wait', setWait)} /></div>
          <div><span>From a page on</span><Chips name="Speed from a page on" value={work} choices={WORK_SPEEDS} onChoose={keep('drill work', setWork)} /></div>
        </div>
      )}
      {canMove
        ? <p class="drill-hero-start"><button ref={button} type="button" class="primary drill-start" onClick={() => { void begin() }}><Icon name="play" size={18} /> Start the clock</button> <kbd>p</kbd></p>
        : <p class="state warn"><Icon name="clock" size={14} />The game master starts the clock.</p>}
    </section>
  )
}

const focusIn = (label: string) => {
  const box = [...document.querySelectorAll<HTMLElement>('#main .panel')].find((one) => one.getAttribute('aria-label') === label)
  const field = box?.querySelector<HTMLElement>('textarea, [data-first], input')
  field?.focus()
  box?.scrollIntoView({ block: 'nearest', behavior: 'smooth' })
}

interface Does { keys: string; words: string; run: () => void }

function useDoes(session: Session, live: Live): Record<StepId, Does | null> {
  const graph = useGraphs(session)[0]?.name ?? ''
  const run = () => { void live.setClock({ state: 'running' }) }
  const faster = () => { void live.setClock({ speed: 60, state: 'running' }) }
  return {
    begin: { keys: 'p', words: 'Start the clock', run }, resume: { keys: 'p', words: 'Run', run },
    wait: session.clock.speed < 60 ? { keys: '+', words: 'Pass the time', run: faster } : null,
    ack: { keys: 'a', words: 'Acknowledge', run: () => { void live.act('ack') } },
    someone: { keys: 's', words: 'I have seen it', run: () => { void live.act('see') } },
    look: graph ? { keys: 'l', words: 'Open the graph', run: () => lookAt('graph', { graph }) } : { keys: 'x', words: 'Ask', run: () => lookAt('explore') },
    runbook: { keys: 'b', words: 'Open it', run: () => lookAt('runbook', { book: booksOf(session)[0] ?? '' }) },
    guess: { keys: 'h', words: 'Write', run: () => focusIn('What is it?') },
    do: { keys: 'w', words: 'Say it', run: () => focusIn('What do you do now?') },
    tell: { keys: 'm', words: 'Write', run: () => focusIn('Tell people') },
    watch: session.clock.speed < 60 ? { keys: '+', words: 'Pass the time', run: () => { void live.setClock({ speed: 30, state: 'running' }) } } : null,
    ask: { keys: 'q', words: 'Answer', run: () => focusIn('Asked of you') },
    finish: null,
  }
}

/** One sentence, one key: what a newcomer would do now. */
function Coach({ session, live }: { session: Session; live: Live }) {
  const step: NextStep = nextStep(session)
  const does = useDoes(session, live)[step.id]
  const urgent = step.id === 'ack' || step.id === 'someone'
  return (
    <section class={`drill-coach ${urgent ? 'urgent' : ''}`} aria-label="Next step">
      <Icon name={urgent ? 'alarm' : step.id === 'wait' || step.id === 'watch' ? 'clock' : 'chevron'} size={20} />
      <p aria-live="polite"><b>{step.words}.</b> <span>{step.why}</span></p>
      {does && <button type="button" class="primary" onClick={does.run}>{does.words} <kbd>{does.keys}</kbd></button>}
      {step.id === 'finish' && <button type="button" class="primary" onClick={() => { void live.end() }}>End the drill <kbd>f</kbd></button>}
    </section>
  )
}

/** A page is said aloud; that alertd slowed the time for it, too. */
function useHeard(session: Session) {
  const known = useRef(session.moments.at(-1)?.n ?? -1)
  const slowed = useRef(session.clock.slowed_at_ms)
  useEffect(() => {
    const fresh = session.moments.filter((one) => one.n > known.current)
    known.current = session.moments.at(-1)?.n ?? known.current
    for (const one of fresh.filter((moment) => moment.kind === 'page')) announce(`Drill: ${one.who ?? 'somebody'} is paged. ${one.what ?? ''}`, 'assertive')
    if (session.clock.slowed_at_ms !== slowed.current) say(`Time runs at ${session.clock.speed}× now`, 'plain')
    slowed.current = session.clock.slowed_at_ms
  }, [session.moments.length, session.clock.slowed_at_ms])
}

function DeskKeys({ session, live, canMove }: { session: Session; live: Live; canMove: boolean }) {
  const over = session.incidents.length > 0 && openIncidents(session).length === 0
  useKey('a', 'Acknowledge', () => { void live.act('ack') }, 'This drill', waiting(session).length > 0)
  useKey('s', 'I have seen it', () => { void live.act('see') }, 'This drill')
  useKey('f', 'End the drill', () => { void live.end() }, 'This drill', over)
  useKey('y', 'Jump to where the trouble begins', () => { void live.setClock({ jump: 'onset' }) }, 'This drill', canMove && session.pages.length === 0)
  return null
}

function Desk({ session, live, canMove }: { session: Session; live: Live; canMove: boolean }) {
  const plays = session.role === 'player'
  useHeard(session)
  return (
    <>
      {plays && <DeskKeys session={session} live={live} canMove={canMove} />}
      <div class="drill-head">
      <ClockBar live={live} session={session} canMove={canMove} canEnd={canMove}>
        {canMove && session.incidents.length === 0 && <button type="button" class="quiet" title="Jump to where the trouble begins (y)" onClick={() => { void live.setClock({ jump: 'onset' }) }}><Icon name="next" size={16} /> Jump to the trouble</button>}
      </ClockBar>
      {plays && <Coach session={session} live={live} />}
      </div>
      <div class="columns drill-desk">
        <div class="column-main">
          {isPaper(session)
            ? <Panel title="The brief"><p class="pad drill-brief-words">{session.brief}</p></Panel>
            : <><Incidents session={session} live={live} canAct={plays} /><Look session={session} live={live} /></>}
          <Moments session={session} you={plays ? 'You' : session.player} />
        </div>
        <aside class="column-side" aria-label="What you think and do">
          {plays && <><Guess session={session} live={live} /><DoNow session={session} live={live} /><Questions session={session} live={live} /><People session={session} live={live} /><Hints session={session} live={live} /></>}
          {plays ? <Notes session={session} live={live} /> : <Scribe session={session} live={live} />}
          {plays && <About session={session} live={live} canMove={canMove} />}
        </aside>
      </div>
    </>
  )
}

/** What was told and chosen before it began. */
function About({ session, live, canMove }: { session: Session; live: Live; canMove: boolean }) {
  const slowTo = String(session.clock.slow_to ?? 0)
  return (
    <details class="panel drill-brief-again"><summary>The brief, and how you are paged</summary>
      <p class="pad">{session.brief}</p>
      <div class="pad drill-fields">
        <PageMe session={session} live={live} />
        {canMove && <div class="drill-pace"><div><span>From a page on, time runs at</span><Chips name="Speed from a page on" value={slowTo} choices={WORK_SPEEDS.concat({ value: '0', words: 'as before' })} onChoose={(value) => { void live.settle({ slow_to: Number(value) }) }} /></div></div>}
      </div>
    </details>
  )
}

/** Who sits beside the player sees the same, and writes. */
function Scribe({ session, live }: { session: Session; live: Live }) {
  const write = (text: string) => {
    call(`${sessionPath(session.id)}/notes`, { json: { text } }).then(() => live.refresh(), (error: unknown) => say(`Not written: ${wordsOf(error)}`, 'bad'))
  }
  return session.role === 'scribe'
    ? <Notes session={session} live={live} title="What you write down" onNote={write} />
    : <p class="panel pad dim">You watch. {session.player} plays.</p>
}

function Inside({ session, live }: { session: Session; live: Live }) {
  const canMove = mayMove(session)
  const { error } = live
  return (
    <div class="drill-play">
      <Stripes session={session} live={live}>{session.mode !== 'solo' && <small>{session.mode}, {session.role === 'player' ? 'you play' : `you are the ${session.role}`}</small>}</Stripes>
      {error.value && <Trouble error={error.value} what="alertd does not answer; what you do is kept here and sent when it does" retry={() => { void live.refresh() }} />}
      {session.role === 'player' && !may('operate') && <p class="banner warn" role="status"><Icon name="hand" size={16} />You may only look: playing needs a token with the scope <code>operate</code>.</p>}
      {isFresh(session) ? <Brief session={session} live={live} canMove={canMove} /> : <Desk session={session} live={live} canMove={canMove} />}
    </div>
  )
}

export function DrillPlay({ id }: { id: string }) {
  const live = useLive(id)
  const session = live.session.value
  const error = live.error.value
  const waits = session ? waiting(session).length : 0
  pageTitle.value = session ? `[DRILL] ${waits > 0 ? 'You are paged: ' : ''}${session.title}` : '[DRILL]'
  useEffect(() => {
    if (session?.state === 'ended' || session?.state === 'broken') go(`/drills/${id}`, { replace: true })
    else if (session?.role === 'master' && query('desk') !== '1') go(`/drills/${id}/master`, { replace: true })
  }, [session?.state, session?.role])
  if (error?.status === 404) return <Empty icon="drill" title="There is no such drill"><p><a href="/drills">All drills</a></p></Empty>
  if (!session) return error ? <Trouble error={error} what="The drill could not be read" retry={() => { void live.refresh() }} /> : <Waiting rows={6} />
  return (
    <AskedOf.Provider value={{ base: `${sessionPath(id)}/api/v1`, zone: 'utc' }}>
      <Inside key={playPath(session.id)} session={session} live={live} />
    </AskedOf.Provider>
  )
}
