// The game master's panel: the truth beside what the player does; what others say is said from
// here, hints are given, the clock is held.

import { Fragment } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { call } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { newKey, playPath, sessionPath, useLive, wordsOf, type Live } from '../app/drill.ts'
import type { Score, Session, TrueEvent } from '../app/drill_types.ts'
import { go } from '../app/router.ts'
import { say } from '../app/toast.ts'
import { AskedOf } from '../chart/asked.ts'
import { beginOf, CLOCK_WORDS, formatClockTime, standing, wallClock } from '../lib/drill.ts'
import { Icon } from '../ui/icon.tsx'
import { Empty, Panel, State, Trouble, Waiting } from '../ui/parts.tsx'
import { ClockBar, Moments, SendBox, Stripes } from './drill_parts.tsx'
import { Notes, OwnNotes } from './drill_think.tsx'

const KINDS: { kind: string; words: string; hint: string }[] = [
  { kind: 'chat', words: 'Chat', hint: 'carl: is anybody looking at the shop?' },
  { kind: 'customer', words: 'Customer', hint: 'I cannot pay since ten minutes' },
  { kind: 'log', words: 'Log line', hint: 'web-1 shop: out of memory' },
  { kind: 'deploy', words: 'Deploy', hint: 'shop 2.32 to web-1, by ben' },
  { kind: 'note', words: 'Note', hint: 'The provider says: our fault, back in ten minutes' },
  { kind: 'hint', words: 'Hint', hint: 'When did the slope begin?' },
]

async function tell(live: Live, path: string, json: unknown, done: string): Promise<void> {
  try {
    await call(path, { json })
    say(done, 'ok')
  } catch (error) {
    say(`Not done: ${wordsOf(error)}`, 'bad')
  }
  await live.refresh()
}

function Injects({ session, live }: { session: Session; live: Live }) {
  const [kind, setKind] = useState('chat')
  const chosen = KINDS.find((one) => one.kind === kind)
  return (
    <Panel title="Say it to the player" label="Say it to the player">
      <div class="drill-tiles" role="group" aria-label="What it is">{KINDS.map((one) => <button key={one.kind} type="button" class="toggle" aria-pressed={one.kind === kind} onClick={() => setKind(one.kind)}>{one.words}</button>)}</div>
      <SendBox name={`${session.id} inject ${kind}`} label={`What the ${chosen?.words.toLowerCase() ?? ''} says`} hint={chosen?.hint ?? ''} button="Say it" icon="sent"
               onSend={(text) => { void tell(live, `${sessionPath(session.id)}/injects`, { kind, text, key: newKey() }, 'The player sees it now') }} />
      <p class="dim drill-small">It happens at the drill’s now, and stands in the debrief as coming from you.</p>
    </Panel>
  )
}

/** What the player does not see: what happens when, and what is right. */
function Truth({ session, truth }: { session: Session; truth: TrueEvent[] }) {
  const onset = session.clock.onset_ms
  return (
    <Panel title="What is true" label="What is true" aside={<span class="dim">the player does not see it</span>}>
      {onset !== null && onset !== undefined && <p class="pad"><b>The trouble begins at {wallClock(session.clock, onset)}</b> <span class="dim">{formatClockTime(onset - beginOf(session.clock))} after the start</span></p>}
      <ol class="drill-log drill-truths">{[...truth].sort((a, b) => a.at_ms - b.at_ms).map((one, i) => (
        <li key={i} class={one.at_ms > session.clock.now_ms ? 'coming' : ''}><time>{wallClock(session.clock, one.at_ms).slice(0, 5)}</time><span>{one.text} <small class="dim">{one.kind}</small></span></li>
      ))}</ol>
    </Panel>
  )
}

/** What to lead them to, when they are lost. */
function Right({ right }: { right: NonNullable<Score['right']> }) {
  return (
    <Panel title="What helps here" label="What helps here" aside={<span class="dim">the player does not see it</span>}>
      <dl class="drill-right">
        {right.graphs.length > 0 && <><dt>Graphs</dt><dd class="mono">{right.graphs.map((one) => <span key={one}>{one}</span>)}</dd></>}
        {right.runbooks.length > 0 && <><dt>Runbooks</dt><dd>{right.runbooks.map((one) => <a key={one} href={`/runbooks/${one}`} target="_blank" rel="noreferrer">{one}</a>)}</dd></>}
        {right.questions.map((one) => <Fragment key={one.id}><dt>{one.text}</dt><dd>{one.accepts.map((words) => <span key={words}>{words}</span>)}{one.accepts.length === 0 && <span class="mono dim">{one.patterns?.join(' or ')}</span>}</dd></Fragment>)}
      </dl>
    </Panel>
  )
}

function Clocks({ score }: { score: Score }) {
  return (
    <Panel title="The player’s clocks" label="The player’s clocks">
      <ul class="drill-mini">{score.clocks.map((one) => {
        const { words, tone } = standing(one)
        return <li key={one.clock}><span>{CLOCK_WORDS[one.clock]?.words ?? one.clock}</span><b class="num">{one.after_ms === null ? '–' : formatClockTime(one.after_ms)}</b>{one.after_ms === null ? <small class="dim">{one.limit_ms !== null && `limit ${formatClockTime(one.limit_ms)}`}</small> : <small class={`state ${tone}`}>{words}</small>}</li>
      })}</ul>
    </Panel>
  )
}

function Watched({ session }: { session: Session }) {
  const open = session.incidents.filter((one) => one.over_ms === null)
  return (
    <Panel title="What the player has before them" label="What the player has before them">
      <ul class="rows">{open.map((one) => <li key={one.n}><State state={one.acked_ms === null ? 'triggered' : 'acknowledged'} /><span class="grow">{one.title}</span><time class="dim">{wallClock(session.clock, one.opened_ms)}</time></li>)}</ul>
      {open.length === 0 && <p class="dim pad">No open incident.</p>}
      <p class="drill-small dim">{session.questions.filter((one) => one.answered).length} of {session.questions.length} questions answered, {session.hints.given.length} hints given, {session.hints.left} left. <a href={`${playPath(session.id)}?desk=1`} target="_blank" rel="noreferrer">Their desk</a>, in a tab of its own</p>
    </Panel>
  )
}

function Inside({ session, live }: { session: Session; live: Live }) {
  const score = useData<Score>(`${sessionPath(session.id)}/score`, [], 3000)
  return (
    <div class="drill-play">
      <Stripes session={session} live={live}><small>You are the game master; {session.player} plays.</small></Stripes>
      <div class="drill-head"><ClockBar live={live} session={session} canMove canEnd>
        <button type="button" class="quiet" onClick={() => { void live.setClock({ jump: 'onset' }) }}><Icon name="next" size={16} /> Jump to the trouble</button>
      </ClockBar></div>
      <div class="columns drill-desk drill-led">
        <div class="column-main">
          <Injects session={session} live={live} />
          <Watched session={session} />
          <Moments session={session} you={session.player} title="What happens and what they do" />
        </div>
        <aside class="column-side" aria-label="The truth">
          {score.value && <Clocks score={score.value} />}
          {score.value && <Truth session={session} truth={score.value.truth} />}
          {score.value?.right && <Right right={score.value.right} />}
          <OwnNotes session={session} onNote={(text) => { void tell(live, `${sessionPath(session.id)}/notes`, { text, private: true }, 'Noted, for you alone') }} />
          <Notes session={session} live={live} title="Notes, for you all" onNote={(text) => { void tell(live, `${sessionPath(session.id)}/notes`, { text }, 'Noted') }} />
        </aside>
      </div>
    </div>
  )
}

export function DrillMaster({ id }: { id: string }) {
  const live = useLive(id)
  const session = live.session.value
  const error = live.error.value
  pageTitle.value = session ? `[DRILL] Master: ${session.title}` : '[DRILL]'
  useEffect(() => {
    if (session?.state === 'ended' || session?.state === 'broken') go(`/drills/${id}`, { replace: true })
  }, [session?.state])
  if (error?.status === 404) return <Empty icon="drill" title="There is no such drill"><p><a href="/drills">All drills</a></p></Empty>
  if (!session) return error ? <Trouble error={error} what="The drill could not be read" retry={() => { void live.refresh() }} /> : <Waiting rows={6} />
  if (session.role !== 'master') return <Empty icon="drill" title="This is the game master’s panel"><p>You are not the one who leads this drill. <a href={playPath(session.id)}>To the desk</a></p></Empty>
  return <AskedOf.Provider value={{ base: `${sessionPath(id)}/api/v1`, zone: 'utc' }}><Inside session={session} live={live} /></AskedOf.Provider>
}
