// The library of drills as a path from the first day to leading an incident, and the one that
// comes next in front.

import { useState } from 'preact/hooks'
import { may, me } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { DRILLS, endSession, LIBRARY, newSession, playPath, type Library, type NewSession, type Sessions } from '../app/drill.ts'
import type { LibraryDrill, SessionHead } from '../app/drill_types.ts'
import { useKey } from '../app/keyboard.ts'
import { go, query, setQuery } from '../app/router.ts'
import { now, zone } from '../app/settings.ts'
import { bestOf, CLOCK_WORDS, formatClockTime, formatLength, hasMissed, LEVELS, nextDrill, stagesOf, type Stage } from '../lib/drill.ts'
import { count } from '../lib/number.ts'
import { formatAgo, formatExact } from '../lib/time.ts'
import { Dialog, Field, Sure } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { Empty, Page, Panel, Shown } from '../ui/parts.tsx'
import { SourceLinks } from './drill_parts.tsx'

const levelWords = (level: string) => LEVELS.find((one) => one.level === level)?.words ?? level

const modeOf = (drill: LibraryDrill) => (drill.kind === 'tabletop' ? 'tabletop' : 'solo')

async function start(what: NewSession): Promise<void> {
  const id = await newSession(what)
  if (id !== null) go(what.mode === 'master' ? `/drills/${id}/master` : playPath(id))
}

/** How often, when last, and one's best clocks: what was never in time comes first. */
function Played({ drill }: { drill: LibraryDrill }) {
  const { n, last_at_ms: last, last_id: id } = drill.played
  if (n === 0) return null
  const best = bestOf(drill)
  const when = last !== null && <time title={formatExact(last, zone.value)}>{formatAgo(last, now.value)}</time>
  return (
    <>
      <p class="drill-facts"><span class="state ok"><Icon name="check" size={14} />Played {n === 1 ? 'once' : `${n} times`}</span>{id ? <a href={`/drills/${id}`}>{when}<span class="hidden">: how it went with {drill.title}</span></a> : when}</p>
      {best.length > 0 && <ul class="drill-best" aria-label="Your best clocks">{best.map((one) => (
        <li key={one.clock} class={one.met === false ? 'missed' : one.met ? 'met' : ''}>
          <span>{CLOCK_WORDS[one.clock]?.words ?? one.clock}</span><b class="num">{one.ms === null ? 'never' : formatClockTime(one.ms)}</b>{one.met === false && one.limit_ms !== null && <small>of {formatClockTime(one.limit_ms)}</small>}</li>
      ))}</ul>}
    </>
  )
}

/** Whose incident it was is told once it was played: the report has the answer. */
function Reconstructed({ drill }: { drill: LibraryDrill }) {
  if (!drill.real) return null
  return (
    <span class="drill-real"><span class="severity idle">Really happened</span>
      {drill.sources.length === 0 ? <span>sources: shown in the debrief</span> : <SourceLinks sources={drill.sources} />}</span>
  )
}

function StartButton({ drill, words, primary }: { drill: LibraryDrill; words: string; primary?: boolean }) {
  const [busy, setBusy] = useState(false)
  if (!may('operate')) return null
  return (
    <button type="button" class={primary ? 'primary drill-start' : ''} disabled={busy} onClick={() => { setBusy(true); void start({ drill: drill.name, mode: modeOf(drill) }).finally(() => setBusy(false)) }}>
      <Icon name="play" size={primary ? 18 : 15} /> {words}<span class="hidden"> {drill.title}</span>
    </button>
  )
}

const STATE_WORDS: Record<string, string> = { running: 'its clock runs', paused: 'its clock stands still', broken: 'it broke' }

/** What goes on already comes before what could be begun. */
function GoesOn({ sessions }: { sessions: SessionHead[] }) {
  if (sessions.length === 0) return null
  return (
    <Panel title="You are in the middle of">
      <ul class="rows">
        {sessions.map((one) => (
          <li key={one.id}><Icon name="drill" /><span class="grow"><b>{one.title}</b> <span class={one.state === 'broken' ? 'bad-ink' : 'dim'}>{STATE_WORDS[one.state]}{one.mode !== 'solo' && `, ${one.mode}`}{one.player !== me.value?.name && `, ${one.player} plays`}</span></span>
            {may('operate') && <Sure words="End it" sure="Really end it" onSure={() => { void endSession(one.id) }} />}
            <a class="button" href={one.state === 'broken' ? `/drills/${one.id}` : one.mode === 'master' && one.player !== me.value?.name ? `/drills/${one.id}/master` : playPath(one.id)}>{one.state === 'broken' ? 'Look' : 'Go on'}<span class="hidden"> with {one.title}</span></a></li>
        ))}
      </ul>
    </Panel>
  )
}

type Why = 'first' | 'next' | 'asked' | 'better'
const WHYS: Record<Why, { label: string; words: string }> = {
  first: { label: 'Your first drill', words: 'New here? Begin with this one' }, next: { label: 'Your next drill', words: 'Next on the path' },
  asked: { label: 'The drill that was asked for', words: 'Here it is' }, better: { label: 'A drill to play again', words: 'The path is done. In this one something was left' },
}

function Hero({ drill, why }: { drill: LibraryDrill; why: Why }) {
  useKey('p', `Start ${drill.title}`, () => { void start({ drill: drill.name, mode: modeOf(drill) }) }, 'Drills', may('operate'))
  return (
    <section class="drill-hero" aria-label={WHYS[why].label}>
      <div class="drill-hero-words">
        <p class="drill-kicker">{WHYS[why].words}</p>
        <h2>{drill.title}</h2>
        <p class="drill-teaches"><b>You learn</b> {drill.teaches}</p>
        <p class="drill-facts"><span>{levelWords(drill.level)}</span><span>{formatLength(drill.length_ms)} of incident, in your own time</span><Reconstructed drill={drill} /></p>
        {why === 'asked' && <Played drill={drill} />}
        {may('operate') && <p class="drill-hero-start"><StartButton drill={drill} words={drill.played.n > 0 ? 'Again' : 'Start'} primary /> <kbd>p</kbd></p>}
      </div>
      <ol class="drill-how">
        <li><b>You are on call.</b> Read the brief, start the clock, wait for the page.</li>
        <li><b>Look, think, act.</b> The same alerts, graphs and runbooks as for real, on the drill’s own time. Each step is shown.</li>
        <li><b>See what really happened</b>, beside what you did. No grade: nine clocks.</li>
      </ol>
    </section>
  )
}

function Row({ drill }: { drill: LibraryDrill }) {
  const done = drill.played.n > 0
  return (
    <li class={`drill-row ${done ? 'done' : ''}`}>
      <span class="drill-dot" aria-hidden="true">{done ? <Icon name="check" size={15} /> : drill.path || '·'}</span>
      <div class="drill-words">
        <h3>{drill.title} <small class="drill-facts"><span>{formatLength(drill.length_ms)}</span>{drill.kind === 'tabletop' && <span>words only</span>}<Reconstructed drill={drill} /></small></h3>
        {drill.error ? <p class="bad-ink">{drill.error}</p> : <p class="drill-lesson">{drill.teaches}</p>}
        <Played drill={drill} />
      </div>
      <div class="drill-acts">
        {drill.own && <a class="button" href={`/drills/library/${encodeURIComponent(drill.name)}`}>Edit<span class="hidden"> {drill.title}</span></a>}
        {!drill.error && <StartButton drill={drill} words={done ? 'Again' : 'Start'} />}
        {!drill.error && may('operate') && <button type="button" class="quiet" title="With others" aria-label={`Start ${drill.title} with others`} onClick={() => setQuery({ with: drill.name }, { push: true })}><Icon name="shadow" /></button>}
      </div>
    </li>
  )
}

/** How far one is, at a glance: a piece for each drill of the path. */
function PathBar({ stages }: { stages: Stage[] }) {
  const path = stages.filter((stage) => stage.level !== 'own' && stage.level !== 'other')
  const all = path.flatMap((stage) => stage.drills)
  const done = all.filter((one) => one.played.n > 0).length
  return (
    <section class="drill-path panel" aria-label="Your way so far">
      <p><b>{done} of {all.length}</b> <span class="dim">on the path</span></p>
      <div class="drill-path-bar" role="img" aria-label={path.map((stage) => `${stage.words}: ${stage.drills.filter((one) => one.played.n > 0).length} of ${stage.drills.length}`).join(', ')}>
        {path.map((stage) => <span key={stage.level}><small>{stage.words}</small><i>{stage.drills.map((one) => <b key={one.name} class={one.played.n === 0 ? '' : hasMissed(one) ? 'missed' : 'done'} title={one.title} />)}</i></span>)}
      </div>
      {all.some(hasMissed) && <p class="drill-legend"><span><i class="missed" />played, a clock was never in time</span></p>}
    </section>
  )
}

function StagePanel({ stage }: { stage: Stage }) {
  const done = stage.drills.filter((one) => one.played.n > 0).length
  return (
    <section class="drill-stage" aria-label={stage.words}>
      <header><h2>{stage.words}</h2><span class="dim">{stage.means}</span><span class="drill-done num">{done} of {stage.drills.length}</span></header>
      <ol class="panel">{stage.drills.map((one) => <Row key={one.name} drill={one} />)}</ol>
    </section>
  )
}

const MODES: { mode: string; words: string; means: string; asks: string; names: string; least: number; most: number }[] = [
  { mode: 'pair', words: 'Pair', means: 'One plays, the other sees the same and writes down what happens.', asks: 'Who writes', names: 'Their name here.', least: 1, most: 1 },
  { mode: 'master', words: 'Game master', means: 'You lead: you see the truth, give hints, say what others say. They play.', asks: 'Who plays', names: 'Their name here.', least: 1, most: 1 },
  { mode: 'team', words: 'Team', means: 'Everybody plays a copy of their own; at the end you compare. The clocks of the others are shown to nobody before.', asks: 'Who plays', names: 'Two names or more, with commas between. Yours too, if you play; otherwise you lead.', least: 2, most: 20 },
]

function WithOthers({ drill, onClose }: { drill: LibraryDrill; onClose: () => void }) {
  const [mode, setMode] = useState('pair')
  const [names, setNames] = useState('')
  const people = useData<{ people: { name: string; full_name: string | null }[] }>('/api/alertd/v1/people', ['roster']).value?.people ?? []
  const chosen = MODES.find((one) => one.mode === mode)
  const others = names.split(/[\s,]+/).filter(Boolean)
  const players = mode === 'pair' ? [me.value?.name ?? '', ...others] : others
  const right = chosen !== undefined && others.length >= chosen.least && others.length <= chosen.most
  return (
    <Dialog title={`${drill.title}, with others`} onClose={onClose}>
      <form class="fields" onSubmit={(event) => { event.preventDefault(); onClose(); void start({ drill: drill.name, mode, players }) }}>
        <div class="drill-modes" role="radiogroup" aria-label="How">
          {MODES.map((one) => <label key={one.mode} class={one.mode === mode ? 'chosen' : ''}><input type="radio" name="mode" checked={one.mode === mode} onChange={() => setMode(one.mode)} /><span><b>{one.words}</b><small>{one.means}</small></span></label>)}
        </div>
        <Field label={chosen?.asks ?? 'Who'} hint={`${chosen?.names ?? ''} They find it under Drills.`}>
          <input type="text" list="drill-people" required value={names} onInput={(event) => setNames(event.currentTarget.value)} placeholder={mode === 'team' ? 'ben, carla' : 'ben'} /></Field>
        <datalist id="drill-people">{people.map((one) => <option key={one.name} value={one.name}>{one.full_name}</option>)}</datalist>
        <p><button type="submit" class="primary" disabled={!right}><Icon name="play" size={16} /> Start</button></p>
      </form>
    </Dialog>
  )
}

function Inside({ drills, sessions }: { drills: LibraryDrill[]; sessions: SessionHead[] }) {
  const next = nextDrill(drills)
  const running = sessions.filter((one) => one.state !== 'ended')
  const together = drills.find((one) => one.name === query('with'))
  const asked = drills.find((one) => one.name === query('drill') && !one.error)
  const better = drills.find(hasMissed)
  const played = drills.filter((one) => one.played.n > 0).length
  if (drills.length === 0) {
    return <Empty icon="drill" title="There are no drills here"><p>alertd was started without <code>--drills.path</code>. The drills that come with Watchbill lie in its folder <code>drills</code>; <code>./run</code> passes it.</p></Empty>
  }
  return (
    <div class="drills">
      <GoesOn sessions={running} />
      {!may('operate') && <p class="banner warn" role="status"><Icon name="hand" size={16} />You may look at drills and watch them. To play one takes a token with the scope <code>operate</code>.</p>}
      {asked ? <Hero key={asked.name} drill={asked} why="asked" /> : next ? <Hero key={next.name} drill={next} why={played === 0 ? 'first' : 'next'} /> : better && <Hero key={better.name} drill={better} why="better" />}
      {!next && !better && <p class="panel pad">You have played all {drills.length}, and each clock was in time once. <a href="/drills/practice">Look how it went</a>, or make a drill of an incident of yours: its page has the button.</p>}
      {played > 0 && <PathBar stages={stagesOf(drills)} />}
      {stagesOf(drills).map((stage) => <StagePanel key={stage.level} stage={stage} />)}
      {together && <WithOthers drill={together} onClose={() => setQuery({ with: '' })} />}
      <p class="dim">{count(drills.length, 'drill')}. How they are written: <code>docs/drill-language.md</code>.</p>
    </div>
  )
}

export function Drills() {
  pageTitle.value = 'Drills'
  const library = useData<Library>(LIBRARY, ['drill'], 60_000)
  const sessions = useData<Sessions>(`${DRILLS}?who=me`, ['drill'], 10_000).value?.sessions ?? []
  return (
    <Page title="Drills" lead="Practise being on call. Nothing of it is real; nothing can break, and nobody is woken."
          actions={<a class="button" href="/drills/practice"><Icon name="report" size={16} /> My practice</a>}>
      <Shown data={library} what="The drills could not be read">{({ drills }) => <Inside drills={drills} sessions={sessions} />}</Shown>
    </Page>
  )
}
