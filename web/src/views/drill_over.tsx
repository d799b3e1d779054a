// A drill that is over: by several clocks and no grade, beside one's own past, the team and what
// really happened; then both timelines; then what to do about it.

import { useState } from 'preact/hooks'
import { call, may } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { changed, useData } from '../app/data.ts'
import { DRILLS, endSession, LIBRARY, newSession, playPath, sessionPath, wordsOf, type Library, type Sessions } from '../app/drill.ts'
import type { Idea, Moment, Score, ScoreClock, Session } from '../app/drill_types.ts'
import { go } from '../app/router.ts'
import { zone } from '../app/settings.ts'
import { say } from '../app/toast.ts'
import { AskedOf } from '../chart/asked.ts'
import { beginOf, CLOCK_WORDS, clockScale, COUNT_WORDS, formatClockTime, momentWords, nextDrill, standing, wallClock } from '../lib/drill.ts'
import { formatElapsed, formatExact, MINUTE } from '../lib/time.ts'
import { Sure } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { Empty, Page, Panel, Shown } from '../ui/parts.tsx'
import { DebriefPanels } from './drill_debrief.tsx'
import { SourceLinks } from './drill_parts.tsx'
import { NoteList } from './drill_think.tsx'

const TICKS_MS = [1, 5, 15, 30, 60, 120, 240].map((minutes) => minutes * MINUTE)

function sentenceOf(one: ScoreClock): string {
  const words = [one.after_ms === null ? 'never' : `after ${formatClockTime(one.after_ms)}`]
  if (one.limit_ms !== null) words.push(standing(one).words)
  if (one.own_past?.length) words.push(`before: ${one.own_past.map(formatClockTime).join(', ')}`)
  if (one.team_median_ms) words.push(`team ${formatClockTime(one.team_median_ms)}`)
  if (one.really) words.push(one.really.never || one.really.after_ms === undefined ? 'really: never' : `really after ${formatClockTime(one.really.after_ms)}`)
  return words.join('; ')
}

/** One clock on the common scale: you, your limit, your past, the team, that day. */
function ClockLine({ one, at }: { one: ScoreClock; at: (ms: number) => number }) {
  const x = (ms: number) => `${at(ms)}%`
  return (
    <svg class="drill-line" width="100%" height="26" role="img" aria-label={sentenceOf(one)}>
      <line class="track" x1="0" x2="100%" y1="13" y2="13" />
      {one.limit_ms !== null && <rect class="limit" x="0" width={x(one.limit_ms)} y="9" height="8" rx="4" />}
      {(one.own_past ?? []).map((ms, i) => <circle key={i} class="past" cx={x(ms)} cy="13" r="4" />)}
      {one.team_median_ms != null && <line class="team" x1={x(one.team_median_ms)} x2={x(one.team_median_ms)} y1="4" y2="22" />}
      {one.really?.after_ms != null && <text class="really" x={x(one.really.after_ms)} y="18" text-anchor="middle">×</text>}
      {one.after_ms !== null && <circle class={`you ${standing(one).tone}`} cx={x(one.after_ms)} cy="13" r="7" />}
    </svg>
  )
}

function Clocks({ score }: { score: Score }) {
  const { endMs, at } = clockScale(score.clocks)
  const has = (what: (one: ScoreClock) => unknown) => score.clocks.some((one) => Boolean(what(one)))
  const real = has((one) => one.really)
  return (
    <Panel title="Your clocks" label="Your clocks" aside={<span class="dim">{score.paged === false ? 'from the beginning of the trouble: nobody was paged' : 'from the first page on'}</span>}>
      <table class="list drill-clocks">
        <thead><tr><th>What</th><th class="right">You</th><th class="drill-axis-head"><span class="drill-axis">{TICKS_MS.filter((ms) => ms <= endMs).map((ms, i, list) => i === 0 || i === list.length - 1 || at(ms) - at(list[i - 1] ?? 0) > 9 ? <i key={ms} style={{ left: `${at(ms)}%` }}>{ms / MINUTE} min</i> : null)}</span></th><th>Limit</th>{real && <th>That day</th>}</tr></thead>
        <tbody>{score.clocks.filter((one) => one.after_ms !== null || one.limit_ms !== null || one.really).map((one) => {
          const { words, tone } = standing(one)
          return (
            <tr key={one.clock}>
              <td><b>{CLOCK_WORDS[one.clock]?.words ?? one.clock}</b><small class="dim">{CLOCK_WORDS[one.clock]?.means}</small></td>
              <td class="num right drill-you">{one.after_ms === null ? <span class="dim">never</span> : formatClockTime(one.after_ms)}</td>
              <td class="wide drill-line-cell"><ClockLine one={one} at={at} /></td>
              <td>{words && <span class={`state ${tone}`}><Icon name={tone === 'ok' ? 'check' : 'clock'} size={14} />{words}</span>}</td>
              {real && <td class="dim wrap">{one.really && (one.really.never || one.really.after_ms === undefined ? 'never' : formatClockTime(one.really.after_ms))}{one.really?.note && <small> {one.really.note}</small>}</td>}
            </tr>
          )
        })}</tbody>
      </table>
      <p class="foot drill-legend"><span><i class="you" />you now</span><span><i class="limit" />within the limit</span>{has((one) => one.own_past?.length) && <span><i class="past" />you before</span>}{has((one) => one.team_median_ms) && <span><i class="team" />the team’s middle</span>}{real && <span><i class="really">×</i>that day</span>}</p>
    </Panel>
  )
}

function Counts({ score }: { score: Score }) {
  const shown = score.counts.filter((one) => one.n > 0 || one.limit !== null)
  if (shown.length === 0) return null
  return (
    <ul class="drill-counts">{shown.map((one) => {
      const words = COUNT_WORDS[one.count]
      return <li key={one.count} class={one.met === false ? 'missed' : ''}><b class="num">{one.n}</b><span>{one.n === 1 ? words?.one : words?.many ?? one.count}</span>{one.limit !== null && <small class="dim">{one.count === 'answers' ? `of ${one.limit}` : one.limit === 0 ? 'none is best' : `at most ${one.limit}`}</small>}</li>
    })}</ul>
  )
}

/** What one did on the left, what was so on the right, in one order. */
function TwoSides({ session, score, you }: { session: Session; score: Score; you: string }) {
  const [all, setAll] = useState(false)
  const mine = (one: Moment) => one.kind === 'act' || one.kind === 'hint'
  const hidden: Moment[] = score.truth.filter(({ kind }) => kind === 'onset' || kind === 'mended').map((one) => ({ n: 0, at_ms: one.at_ms, kind: 'happened', who: one.kind, what: one.text, more: null }))
  const rows = [...hidden, ...score.moments.filter((one) => all || one.kind !== 'pending')]
    .map((moment, i) => ({ moment, i, words: momentWords(moment, you) }))
    .sort((a, b) => a.moment.at_ms - b.moment.at_ms || a.i - b.i)
  return (
    <Panel title="What you did, beside what was so" label="Both timelines" aside={<label class="drill-check"><input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} /> pending alerts too</label>}>
      <div class="sides" aria-hidden="true"><b>{you}</b><span>UTC, in the drill</span><b>What was so</b></div>
      <ol class="moments">{rows.map(({ moment, i, words }) => (
        <li key={i} class={`moment ${mine(moment) ? 'you' : 'they'}`}>
          <span class="moment-at"><time>{wallClock(session.clock, moment.at_ms)}</time><small>{formatElapsed(moment.at_ms - beginOf(session.clock))}</small></span>
          <div class={`moment-words ${words.tone}`}><p>{words.text}</p><small>{mine(moment) ? verdictWords(moment) : words.who}</small></div>
        </li>
      ))}</ol>
    </Panel>
  )
}

/** It is over: now it may be said. */
function verdictWords({ act, verdict, worth }: Moment): string {
  const word = worth ?? verdict
  if (act === 'hypothesis') return word === 'good' || word === 'right' ? 'right' : word === 'bad' || word === 'wrong' ? 'not it' : 'neither right nor wrong'
  if (act === 'answer') return word === 'good' ? 'right' : 'not it'
  if (act === 'do') return { good: 'it helps', right: 'it mends', mends: 'it mends', relevant: 'it helps to see', herring: 'a red herring', harm: 'it does harm', bad: 'not that' }[word ?? ''] ?? 'nothing came of it'
  return ''
}

const WORTHS: Record<string, { words: string; tone: string }> = { right: { words: 'right', tone: 'ok' }, relevant: { words: 'worth doing', tone: 'ok' }, wrong: { words: 'not it', tone: 'idle' }, herring: { words: 'a red herring', tone: 'warn' }, harm: { words: 'does harm', tone: 'bad' } }

/** What the drill knew: told when it can no longer spoil anything. */
function Ideas({ score }: { score: Score }) {
  const lists: [string, Idea[]][] = [['What one might have thought', score.hypotheses ?? []], ['What one might have done', score.actions ?? []]]
  const said = new Set(score.moments.map((one) => one.who))
  return (
    <div class="halves">{lists.filter(([, list]) => list.length > 0).map(([title, list]) => (
      <Panel key={title} title={title}><ul class="rows">{list.map((one) => (
        <li key={one.id}><span class={`state ${WORTHS[one.worth]?.tone ?? 'idle'}`}>{one.worth === 'right' && title.includes('done') ? 'mends it' : WORTHS[one.worth]?.words}</span><span class="grow">{one.text}</span>{said.has(one.id) && <small class="severity idle">you said it</small>}</li>
      ))}</ul></Panel>
    ))}</div>
  )
}

function Again({ session }: { session: Session }) {
  const library = useData<Library>(LIBRARY, ['drill'], 60_000).value?.drills ?? []
  const next = nextDrill(library.filter((one) => one.name !== session.drill))
  const start = async (drill: string) => {
    const id = await newSession({ drill, mode: 'solo' })
    if (id !== null) go(playPath(id))
  }
  if (!may('operate')) return null
  return (
    <>
      <button type="button" onClick={() => { void start(session.drill) }}>Play it again</button>
      {next && <button type="button" class="primary" onClick={() => { void start(next.name) }}><Icon name="play" size={16} /> Next: {next.title}</button>}
    </>
  )
}

/** Everybody had a copy: how theirs went, when it is over. */
function Team({ session }: { session: Session }) {
  const { value } = useData<Sessions>(session.team ? `${DRILLS}?who=all&drill=${encodeURIComponent(session.drill)}` : null, ['drill'], 30_000)
  const others = (value?.sessions ?? []).filter((one) => one.team === session.team && one.id !== session.id)
  if (others.length === 0) return null
  return (
    <Panel title="Your team" label="Your team"><ul class="rows">{others.map((one) => (
      <li key={one.id}><Icon name="person" size={16} /><span class="grow">{one.player}</span>{one.state === 'ended' ? <a href={`/drills/${one.id}`}>How it went<span class="hidden"> for {one.player}</span></a> : <span class="dim">still plays</span>}</li>
    ))}</ul></Panel>
  )
}

/** What was noted meanwhile. A game master's own notes stay theirs until they share them. */
function Noted({ session }: { session: Session }) {
  const [busy, setBusy] = useState(false)
  const own = session.notes.filter((one) => one.private)
  const others = session.notes.filter((one) => !one.private)
  const share = async () => {
    setBusy(true)
    await call(`${sessionPath(session.id)}/notes/share`, { json: {} }).catch((error: unknown) => say(`Not shared: ${wordsOf(error)}`, 'bad'))
    changed('drill')
    setBusy(false)
  }
  return (
    <>
      {others.length > 0 && <Panel title="What was noted" label="What was noted"><NoteList session={session} notes={others} /></Panel>}
      {own.length > 0 && (
        <Panel title="Your own notes" label="Your own notes" aside={<span class="dim">nobody else sees them</span>}>
          <NoteList session={session} notes={own} />
          {may('operate') && <p class="drill-buttons"><Sure words={`Show them to ${session.player}`} sure="Really show them: it can’t be taken back" disabled={busy} onSure={() => { void share() }} /></p>}
        </Panel>
      )}
    </>
  )
}

function Ended({ session, score }: { session: Session; score: Score }) {
  return (
    <div class="drill-over">
      {(score.debrief || score.reconstructed) && <section class="drill-truth panel" aria-label="What really happened"><h2>What was behind it</h2>
        {score.debrief && <p>{score.debrief}</p>}
        {score.reconstructed && <p class="drill-facts"><span>Reconstructed from {score.reconstructed}</span>{score.sources && score.sources.length > 0 && <span class="drill-real"><SourceLinks sources={score.sources} /></span>}</p>}</section>}
      <Counts score={score} />
      <Clocks score={score} />
      <Team session={session} />
      <DebriefPanels session={session} score={score} />
      <Ideas score={score} />
      <Noted session={session} />
      <TwoSides session={session} score={score} you={session.role === 'player' ? 'You' : session.player} />
    </div>
  )
}

/** Its process ended again and again: what is known, and the two ways on. */
function Broken({ session }: { session: Session }) {
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState('')
  const retry = async () => {
    setBusy(true)
    try {
      await call(`${sessionPath(session.id)}/retry`, { json: {}, limitMs: 60_000 })
      go(playPath(session.id))
    } catch (error) {
      setFailed(wordsOf(error))
      changed('drill')
    }
    setBusy(false)
  }
  const mayAct = may('operate') && session.role !== 'watcher'
  return (
    <section class="panel drill-broken" role="alert" aria-label="The drill broke">
      <h2><Icon name="cross" size={20} /> This drill broke</h2>
      <p class="mono">{failed || session.error || 'Nobody knows why: alertd’s log may.'}</p>
      <p>{failed ? 'It broke again at the same place. What you did is kept all the same.' : 'What you did is kept, with its times. Tried again, the drill does it all once more and stands still where it was.'}</p>
      {mayAct && <p class="drill-broken-ways">
        {session.can_retry !== false && <button type="button" class="primary" disabled={busy} onClick={() => { void retry() }}><Icon name="next" size={16} /> {busy ? 'Trying …' : 'Try again'}</button>}
        <Sure words="End it" sure="Really end it" disabled={busy} onSure={() => { void endSession(session.id) }} /></p>}
    </section>
  )
}

/** It was ended, and there is nothing to tell by. */
function Unscored({ session }: { session: Session }) {
  return (
    <section class="panel drill-broken" aria-label="The drill broke">
      <h2><Icon name="cross" size={20} /> This drill broke and was ended</h2>
      <p class="mono">{session.error}</p>
      <p>There are no clocks and no debrief of it. <a href="/drills">To the drills</a></p>
    </section>
  )
}

export function DrillOver({ id }: { id: string }) {
  const data = useData<Session>(sessionPath(id), ['drill'], 15_000)
  const session = data.value
  const over = session?.state === 'ended' && !session.error
  const score = useData<Score>(over ? `${sessionPath(id)}/score` : null, ['drill'], 60_000)
  pageTitle.value = session ? `[DRILL] How it went: ${session.title}` : '[DRILL]'
  if (data.error?.status === 404) return <Empty icon="drill" title="There is no such drill"><p><a href="/drills">All drills</a></p></Empty>
  return (
    <Shown data={data} what="The drill could not be read">{(shown) => (
      <Page title={shown.title} lead={<><a href="/drills">Drills</a> · {shown.role === 'player' ? 'you played' : `${shown.player} played`}{shown.mode !== 'solo' && `, ${shown.mode}`}{shown.clock.zero_ms > 0 && <> · <span class="num">{formatExact(shown.clock.zero_ms, 'utc').slice(0, 10)}</span> in the drill{zone.value === 'local' && ', times in UTC'}</>}</>}
            actions={over && <><a class="button" href={`${DRILLS}/${id}/debrief.md`} download><Icon name="download" size={16} /> Markdown</a><a class="button" href={`${DRILLS}/${id}/debrief.html`} download><Icon name="download" size={16} /> HTML</a><Again session={shown} /></>}>
        {shown.state === 'broken' && <Broken session={shown} />}
        {shown.state === 'ended' && !over && <Unscored session={shown} />}
        {(shown.state === 'running' || shown.state === 'paused') && <p class="panel pad">It is not over. <a href={playPath(shown.id)}>Go on</a></p>}
        {over && <Shown data={score} what="The clocks could not be read">{(told) => <AskedOf.Provider value={{ base: `${sessionPath(id)}/api/v1`, zone: 'utc' }}><Ended session={shown} score={told} /></AskedOf.Provider>}</Shown>}
      </Page>
    )}</Shown>
  )
}
