// My practice: what I played, and how each clock went from time to time. Nobody is ranked.

import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { DRILLS, LIBRARY, playPath, type Library, type Sessions } from '../app/drill.ts'
import type { ClockName, Practice, PracticeDrill, SessionHead } from '../app/drill_types.ts'
import { query } from '../app/router.ts'
import { zone } from '../app/settings.ts'
import { CLOCK_WORDS, formatClockTime, stagesOf } from '../lib/drill.ts'
import { formatDay, formatExact } from '../lib/time.ts'
import { Icon } from '../ui/icon.tsx'
import { Empty, Page, Panel, Shown } from '../ui/parts.tsx'

/** A clock from run to run; lower is sooner, and the team's middle runs through. */
function Line({ values, median, words }: { values: (number | null)[]; median: number | null; words: string }) {
  const top = Math.max(1, ...values.filter((ms): ms is number => ms !== null), median ?? 0)
  const y = (ms: number) => 32 - 18 * Math.min(1, Math.max(0, ms) / top) // above it: never
  const x = (i: number) => (values.length === 1 ? 60 : 8 + (104 * i) / (values.length - 1))
  return (
    <svg class="drill-spark" width="120" height="36" role="img" aria-label={`${words}: ${values.map((ms) => (ms === null ? 'never' : formatClockTime(ms))).join(', then ')}`}>
      {median !== null && <line class="team" x1="0" x2="120" y1={y(median)} y2={y(median)} />}
      <polyline class="run" points={values.map((ms, i) => (ms === null ? '' : `${x(i)},${y(ms)}`)).filter(Boolean).join(' ')} />
      {values.map((ms, i) => (ms === null ? <text key={i} x={x(i)} y="10" text-anchor="middle">×</text> : <circle key={i} cx={x(i)} cy={y(ms)} r="3.5" />))}
    </svg>
  )
}

function DrillRuns({ drill, title }: { drill: PracticeDrill; title: string }) {
  const clocks = (Object.keys(CLOCK_WORDS) as ClockName[]).filter((clock) => drill.runs.some((run) => typeof run.clocks[clock] === 'number'))
  return (
    <Panel title={title} aside={<span class="dim">{drill.runs.length === 1 ? 'once' : `${drill.runs.length} times`}</span>}>
      <ul class="drill-sparks">{clocks.map((clock) => {
        const values = drill.runs.map((run) => run.clocks[clock] ?? null)
        const last = values.at(-1) ?? null
        const median = drill.median[clock] ?? null
        return (
          <li key={clock}><span>{CLOCK_WORDS[clock].words}</span><Line values={values} median={median} words={`${title}, ${CLOCK_WORDS[clock].words}`} />
            <b class="num">{last === null ? 'never' : formatClockTime(last)}</b>{median !== null && <small class="dim num">team {formatClockTime(median)}</small>}</li>
        )
      })}</ul>
    </Panel>
  )
}

function Log({ sessions }: { sessions: SessionHead[] }) {
  return (
    <Panel title="What you played">
      <table class="list"><thead><tr><th>When</th><th>Drill</th><th>How</th><th /></tr></thead>
        <tbody>{sessions.map((one) => (
          <tr key={one.id}><td class="num"><time title={formatExact(one.started_at_ms, zone.value)}>{formatDay(one.started_at_ms, zone.value)}</time></td><td class="wrap"><b>{one.title}</b></td><td class="dim">{one.mode}</td>
            <td class="right">{one.state === 'ended' ? <a href={`/drills/${one.id}`}>How it went<span class="hidden">: {one.title}</span></a> : one.state === 'broken' ? <span class="bad-ink">it broke</span> : <a href={playPath(one.id)}>Go on<span class="hidden"> with {one.title}</span></a>}</td></tr>
        ))}</tbody></table>
    </Panel>
  )
}

function PathDone({ library }: { library: Library }) {
  const stages = stagesOf(library.drills).filter((stage) => stage.level !== 'own' && stage.level !== 'other')
  return (
    <ul class="drill-counts">{stages.map((stage) => {
      const done = stage.drills.filter((one) => one.played.n > 0).length
      return <li key={stage.level} class={done === stage.drills.length ? 'full' : ''}><b class="num">{done}<small> of {stage.drills.length}</small></b><span>{stage.words}</span></li>
    })}</ul>
  )
}

export function DrillPractice() {
  const who = query('who')
  pageTitle.value = who ? `Practice of ${who}` : 'My practice'
  const asked = who ? `?who=${encodeURIComponent(who)}` : ''
  const practice = useData<Practice>(`${DRILLS}/practice${asked}`, ['drill'], 60_000)
  const sessions = useData<Sessions>(`${DRILLS}?who=${who ? encodeURIComponent(who) : 'me'}`, ['drill'], 60_000)
  const library = useData<Library>(LIBRARY, ['drill'], 60_000)
  return (
    <Page title={who ? `Practice of ${who}` : 'My practice'} lead="Lower is sooner, × is never, the line across is the team’s middle. Nobody is ranked."
          actions={<a class="button" href="/drills"><Icon name="drill" size={16} /> All drills</a>}>
      <div class="drills">
        {library.value && !who && <PathDone library={library.value} />}
        <Shown data={sessions} what="What was played could not be read">{({ sessions: list }) => (list.length === 0
          ? <Panel><Empty icon="drill" title="Nothing was played yet"><p>The first drill takes a quarter of an hour. <a href="/drills">Begin with it</a></p></Empty></Panel>
          : <>
              {practice.value?.drills.map((one) => <DrillRuns key={one.drill} drill={one} title={library.value?.drills.find((known) => known.name === one.drill)?.title ?? list.find((known) => known.drill === one.drill)?.title ?? one.drill} />)}
              <Log sessions={list} />
            </>)}</Shown>
      </div>
    </Page>
  )
}
