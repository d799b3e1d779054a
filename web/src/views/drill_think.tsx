// The player's hands: what it might be, what to do about it, what is asked, whom to tell, whom to
// call, what to hand over. All of it in free words, as to a colleague.

import { useRef, useState } from 'preact/hooks'
import type { Live } from '../app/drill.ts'
import type { ActKind, DrillNote, DrillQuestion, Moment, Session } from '../app/drill_types.ts'
import { useKey } from '../app/keyboard.ts'
import { announce, say } from '../app/toast.ts'
import { momentWords, wallClock } from '../lib/drill.ts'
import { count } from '../lib/number.ts'
import { Dialog, Field, Sure } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { Panel } from '../ui/parts.tsx'
import { SendBox, useDraft } from './drill_parts.tsx'

const GROUP = 'This drill'

/** What was written so far, the newest last; what alertd does not have yet is marked. */
function Log({ session, live, acts }: { session: Session; live: Live; acts: ActKind[] }) {
  const rows = session.moments.filter((one) => one.kind === 'act' && one.act !== undefined && acts.includes(one.act))
  const unsent = live.unsent.value.filter((one) => acts.includes(one.kind))
  if (rows.length + unsent.length === 0) return null
  return (
    <ol class="drill-log">
      {rows.map((one) => <li key={one.n}><time>{wallClock(session.clock, one.at_ms).slice(0, 5)}</time><span>{one.what ?? momentWords(one).text}{one.act === 'do' && <Answered moment={one} />}</span></li>)}
      {unsent.map((one) => <li key={one.key} class="unsent"><time>…</time><span>{one.text} <small>not sent yet: it is kept here</small></span></li>)}
    </ol>
  )
}

/** What a deed does is seen at once, as in life; whether it was wise is told at the end. */
function doneWords(moment: Moment): { words: string; tone: string } {
  if (moment.worth === 'mends') return { words: 'It has an effect: watch.', tone: 'ok' }
  if (moment.verdict === 'good') return { words: 'Worth doing: you see more now.', tone: 'ok' }
  return { words: 'Done. Nothing seems to change.', tone: 'idle' }
}

function Answered({ moment }: { moment: Moment }) {
  const { words, tone } = doneWords(moment)
  return <small class={`state ${tone}`}>{words}</small>
}

export function Guess({ session, live }: { session: Session; live: Live }) {
  const area = useRef<HTMLTextAreaElement>(null)
  useKey('h', 'Write what you think it is', () => area.current?.focus(), GROUP)
  return (
    <Panel title="What is it?" label="What is it?" aside={<kbd>h</kbd>}>
      <Log session={session} live={live} acts={['hypothesis']} />
      <SendBox name={`${session.id} guess`} label="What you think it is" hint="The cause, as you see it now" button="Write" icon="question" inputRef={area}
               onSend={(text) => { void live.act('hypothesis', { text }) }} />
    </Panel>
  )
}

export function DoNow({ session, live }: { session: Session; live: Live }) {
  const area = useRef<HTMLTextAreaElement>(null)
  useKey('w', 'Say what you do now', () => area.current?.focus(), GROUP)
  const send = (text: string) => {
    void live.act('do', { text }).then((moment) => { if (moment) announce(doneWords(moment).words) })
  }
  return (
    <Panel title="What do you do now?" label="What do you do now?" aside={<kbd>w</kbd>}>
      <Log session={session} live={live} acts={['do']} />
      <SendBox name={`${session.id} do`} label="What you do now" hint="Roll back …, switch … off, call …" button="Do it" icon="hand" inputRef={area} onSend={send} />
    </Panel>
  )
}

function Question({ session, live, question, first }: { session: Session; live: Live; question: DrillQuestion; first: boolean }) {
  const [text, setText] = useDraft(`${session.id} answer ${question.id}`)
  const given = session.moments.filter((one) => one.act === 'answer' && one.more === question.id).at(-1)?.what
  const send = () => {
    const said = text.trim()
    if (!said) return
    setText('')
    void live.act('answer', { id: question.id, text: said })
  }
  return (
    <li>
      <label for={`q-${question.id}`}>{question.text}</label>
      {given && <p class="drill-given"><Icon name="check" size={14} /> {given}</p>}
      <form class="drill-answer" onSubmit={(event) => { event.preventDefault(); send() }}>
        <input type="text" id={`q-${question.id}`} maxLength={300} value={text} placeholder={given ? 'Another answer' : ''} {...(first ? { 'data-first': '' } : {})} onInput={(event) => setText(event.currentTarget.value)} />
        <button type="submit" disabled={!text.trim()}>Answer</button>
      </form>
    </li>
  )
}

export function Questions({ session, live }: { session: Session; live: Live }) {
  const list = useRef<HTMLUListElement>(null)
  useKey('q', 'Answer what is asked', () => list.current?.querySelector<HTMLElement>('[data-first]')?.focus(), GROUP, session.questions.length > 0)
  if (session.questions.length === 0) return null
  const open = session.questions.filter((one) => !one.answered)
  const first = open[0] ?? session.questions[0]
  return (
    <Panel title="Asked of you" label="Asked of you" aside={<>{open.length === 0 ? <span class="state ok"><Icon name="check" size={14} />All answered</span> : <span class="dim">{open.length} open</span>} <kbd>q</kbd></>}>
      <ul class="drill-questions" ref={list}>{session.questions.map((one) => <Question key={one.id} session={session} live={live} question={one} first={one === first} />)}</ul>
    </Panel>
  )
}

function HandOver({ session, live, onClose }: { session: Session; live: Live; onClose: () => void }) {
  const [who, setWho] = useDraft(`${session.id} over who`)
  const [text, setText] = useDraft(`${session.id} over`)
  const send = async () => {
    await live.act('escalate', { text: `handed over to ${who.trim() || 'whoever comes'}: ${text.trim()}` })
    setWho('')
    setText('')
    say('Handed over. You may stay, or end the drill.', 'ok')
    onClose()
  }
  return (
    <Dialog title="Hand over" onClose={onClose}>
      <form class="fields" onSubmit={(event) => { event.preventDefault(); void send() }}>
        <Field label="To whom"><input type="text" value={who} maxLength={60} onInput={(event) => setWho(event.currentTarget.value)} placeholder="ben" /></Field>
        <Field label="What they must know" hint="What is broken since when; what you tried and what came of it; what you would do next; who was told.">
          <textarea rows={6} required maxLength={900} value={text} onInput={(event) => setText(event.currentTarget.value)} /></Field>
        <p><button type="submit" class="primary" disabled={!text.trim()}><Icon name="sent" size={16} /> Hand over</button></p>
      </form>
    </Dialog>
  )
}

export function People({ session, live }: { session: Session; live: Live }) {
  const tell = useRef<HTMLTextAreaElement>(null)
  const [over, setOver] = useState(false)
  const call = () => { void live.act('escalate').then((moment) => { if (moment) say('You called for help', 'ok') }) }
  useKey('m', 'Tell people: a status update', () => tell.current?.focus(), GROUP)
  useKey('c', 'Call for help', call, GROUP)
  useKey('o', 'Hand over', () => setOver(true), GROUP)
  return (
    <Panel title="Tell people" label="Tell people" aside={<kbd>m</kbd>}>
      <Log session={session} live={live} acts={['tell', 'escalate']} />
      <SendBox name={`${session.id} tell`} label="A status update" hint="What is broken, since when, who is on it" button="Send" icon="sent" inputRef={tell}
               onSend={(text) => { void live.act('tell', { text }) }} />
      <p class="drill-buttons">
        <button type="button" onClick={call}><Icon name="up" size={16} /> Call for help <kbd>c</kbd></button>
        <button type="button" onClick={() => setOver(true)}><Icon name="person" size={16} /> Hand over <kbd>o</kbd></button>
      </p>
      {over && <HandOver session={session} live={live} onClose={() => setOver(false)} />}
    </Panel>
  )
}

/** What it costs is said before it is given. */
export function Hints({ session, live }: { session: Session; live: Live }) {
  const { left, next_cost: cost, given } = session.hints
  const [asking, setAsking] = useState(false)
  const ask = () => { setAsking(true); void live.act('hint').then((moment) => { if (moment?.what) announce(`Hint: ${moment.what}`) }).finally(() => setAsking(false)) }
  useKey('i', 'Ask for a hint', ask, GROUP, left > 0)
  if (left === 0 && given.length === 0) return null
  return (
    <Panel title="Hints" label="Hints" aside={<span class="dim">{left === 0 ? 'none is left' : `${left} left`} <kbd>i</kbd></span>}>
      {given.length > 0 && <ol class="drill-log">{given.map((one) => <li key={one.at_ms}><time>{wallClock(session.clock, one.at_ms).slice(0, 5)}</time><span>{one.text}</span></li>)}</ol>}
      {left > 0 && <p class="drill-buttons"><Sure words={`Give me a hint${cost === null ? '' : ` (costs ${count(cost, 'point')})`}`} sure="Yes, tell me" disabled={asking} onSure={ask} /></p>}
      {given.length === 0 && <p class="dim drill-small">It is counted, and shown beside the clocks. Better asked than lost.</p>}
    </Panel>
  )
}

export function NoteList({ session, notes }: { session: Session; notes: DrillNote[] }) {
  if (notes.length === 0) return null
  return <ol class="drill-log">{notes.map((one, i) => <li key={i}><time>{wallClock(session.clock, one.at_ms).slice(0, 5)}</time><span>{one.text} <small class="dim">{one.who}</small></span></li>)}</ol>
}

/** What a game master sees and does not say: theirs alone until they share it. */
export function OwnNotes({ session, onNote }: { session: Session; onNote: (text: string) => void }) {
  return (
    <Panel title="Notes, for you alone" label="Notes, for you alone" aside={<span class="dim">the player does not see them</span>}>
      <NoteList session={session} notes={session.notes.filter((one) => one.private)} />
      <SendBox name={`${session.id} own note`} label="For you alone" hint="What you see them do: for the talk behind it" button="Note" icon="note" onSend={onNote} />
    </Panel>
  )
}

export function Notes({ session, live, title = 'Notes', onNote }: { session: Session; live: Live; title?: string; onNote?: (text: string) => void }) {
  const area = useRef<HTMLTextAreaElement>(null)
  useKey('n', 'Write a note', () => area.current?.focus(), GROUP)
  return (
    <Panel title={title} label={title} aside={<kbd>n</kbd>}>
      <Log session={session} live={live} acts={['note']} />
      <NoteList session={session} notes={session.notes.filter((one) => !one.private)} />
      <SendBox name={`${session.id} note`} label="A note" hint={onNote ? 'Everybody here reads it' : 'For yourself, and for the debrief'} button="Note" icon="note" inputRef={area} onSend={(text) => { if (onNote) onNote(text); else void live.act('note', { text }) }} />
    </Panel>
  )
}
