// The debrief of a drill: what alertd drafted from what was done, and three questions only the
// player can answer. What is typed saves itself.

import { useEffect, useRef } from 'preact/hooks'
import { call } from '../app/api.ts'
import { useData } from '../app/data.ts'
import { sessionPath } from '../app/drill.ts'
import type { Debrief, DebriefSection, Missed, NextLink, Score, Session } from '../app/drill_types.ts'
import { useKept } from '../app/kept.ts'
import type { DocumentNode } from '../app/types.ts'
import { Chart } from '../chart/chart.tsx'
import type { Mark } from '../chart/plot.ts'
import { missedColumns, wallClock } from '../lib/drill.ts'
import { markdownNodes } from '../lib/markdown.ts'
import { plainText } from '../lib/section.ts'
import { Document } from '../ui/document.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import { Panel, Trouble, Waiting } from '../ui/parts.tsx'

const SAYS = { clean: 'Saved', dirty: 'Not saved yet', saving: 'Saving …', failed: 'Not saved, trying again' }

/** Clocks, timelines and missed signals stand on the page already, and can be used there. */
const SHOWN_ELSEWHERE = ['head', 'clocks', 'beside', 'missed', 'timeline', 'marks', 'response']

/** Until somebody writes, a section holds what is asked there, as quoted lines. */
function askedOf({ body = '', markdown }: DebriefSection): { asked: string; written: string } {
  const quoted = (text: string) => text.trim() !== '' && text.trim().split('\n').every((line) => line.startsWith('>') || line.trim() === '')
  const prompt = [body, markdown].find(quoted) ?? ''
  return { asked: prompt.replace(/^> ?(To answer: )?/gm, '').trim(), written: quoted(body) ? '' : body }
}

function Answer({ session, section, onSaved, mayWrite }: { session: Session; section: DebriefSection; onSaved: () => void; mayWrite: boolean }) {
  const revision = useRef(section.revision ?? 0)
  const save = async (text: string) => {
    const path = `${sessionPath(session.id)}/debrief/sections/${encodeURIComponent(section.id)}`
    const saved = await call<Debrief>(path, { method: 'PUT', headers: { 'If-Match': `"${revision.current}"` }, json: { markdown: text } })
    revision.current = saved.sections.find((one) => one.id === section.id)?.revision ?? revision.current + 1
    onSaved()
  }
  const { asked, written } = askedOf(section)
  const kept = useKept(`debrief ${session.id} ${section.id}`, written, save)
  useEffect(() => { if (kept.keeping === 'clean') revision.current = section.revision ?? 0 }, [section.revision])
  const id = `debrief-${section.id}`
  return (
    <div class="kept">
      <div class="between"><label for={id}>{section.title}</label>{mayWrite && (kept.text || kept.keeping !== 'clean') && <span class={`saving ${kept.keeping}`} role="status" title={kept.problem}>{SAYS[kept.keeping]}</span>}</div>
      {asked && <p class="dim">{asked}</p>}
      <textarea id={id} rows={3} maxLength={8000} value={kept.text} readOnly={!mayWrite} placeholder={mayWrite ? 'A sentence or two' : 'Not answered'}
                onInput={(event) => kept.type(event.currentTarget.value)} onBlur={() => { void kept.saveNow() }} />
      {kept.keeping === 'failed' && kept.problem && <p class="bad-ink kept-problem" role="alert">{kept.problem}</p>}
    </div>
  )
}

/** One signal nobody looked at, as it stood when it would have mattered. */
function MissedSignal({ session, missed, marks }: { session: Session; missed: Missed; marks: Mark[] }) {
  const { graph, query, runbook } = missed
  const here: Mark = { atMs: session.clock.zero_ms + missed.at_ms, words: 'here', tone: 'accent' }
  return (
    <li class="drill-missed">
      <p class="between"><b>{missed.text}</b><span class="dim num">{wallClock(session.clock, missed.at_ms)}</span></p>
      {missed.why && <p class="dim">{missed.why}</p>}
      {query && <p class="expr mono">{query}</p>}
      {graph && graph.series.length > 0 && <Chart columns={missedColumns(graph)} what={graph.title} marks={[...marks, here]} height={170} span={{ fromMs: graph.from_ms, toMs: graph.to_ms }} />}
      {runbook && <p><a href={`/runbooks/${runbook}`}>Read {runbook}</a></p>}
    </li>
  )
}

function MissedSignals({ session, score, missed }: { session: Session; score: Score; missed: Missed[] }) {
  const at = (ms: number, words: string, tone: Mark['tone']): Mark => ({ atMs: session.clock.zero_ms + ms, words, tone })
  const onset = score.truth.find((one) => one.kind === 'onset')
  const page = score.moments.find((one) => one.kind === 'page')
  const marks = [...(onset ? [at(onset.at_ms, 'it begins', 'warn')] : []), ...(page ? [at(page.at_ms, 'page', 'bad')] : [])]
  return (
    <Panel title="Signals that were there" label="Signals that were there" aside={missed.length > 0 && <span class="dim">as they stood when they would have mattered</span>}>
      {missed.length === 0
        ? <p class="pad"><span class="state ok"><Icon name="check" size={14} />Nothing that helps here was left out.</span></p>
        : <ul class="drill-misses">{missed.map((one, i) => <MissedSignal key={i} session={session} missed={one} marks={marks} />)}</ul>}
    </Panel>
  )
}

const NEXT: Record<NextLink['kind'], { icon: IconName; words: string }> = {
  tune: { icon: 'rules', words: 'Open the tuner' }, rule: { icon: 'rules', words: 'Open the rule' }, runbook: { icon: 'book', words: 'Open the runbook' }, drill: { icon: 'drill', words: 'To the drill' },
}

/** What is learned becomes something: a rule, a page of a runbook, the next drill. */
function NextSteps({ next }: { next: NextLink[] }) {
  if (next.length === 0) return null
  return (
    <Panel title="What to do with it" label="What to do with it"><ul class="rows drill-next">{next.map((one, i) => (
      <li key={i}><Icon name={NEXT[one.kind].icon} /><span class="grow">{one.text}{one.kind === 'tune' && !one.url && <small class="dim"> No rule of that name is here to be tuned.</small>}</span>{one.url && <a class="button" href={one.url}>{NEXT[one.kind].words}<span class="hidden">: {one.text}</span></a>}</li>
    ))}</ul></Panel>
  )
}

/** The panel has it. */
const withoutTitle = (nodes: DocumentNode[], title: string) => (nodes[0]?.type === 'heading' && plainText(nodes[0]) === title ? nodes.slice(1) : nodes)

export function DebriefPanels({ session, score }: { session: Session; score: Score }) {
  const path = `${sessionPath(session.id)}/debrief`
  const { value, error, reload } = useData<Debrief>(path, ['drill'], 60_000)
  if (!value) {
    if (error?.status === 404 || error?.status === 501) return null
    return error ? <Trouble error={error} what="The debrief could not be read" retry={reload} /> : <Panel title="Debrief"><Waiting /></Panel>
  }
  const questions = value.sections.filter((one) => one.kind === 'person')
  const facts = value.sections.filter((one) => one.kind === 'facts' && !SHOWN_ELSEWHERE.includes(one.id) && one.markdown.trim() !== '')
  const mayWrite = session.role === 'player' || session.role === 'scribe' || session.role === 'master'
  return (
    <>
      {value.missed && <MissedSignals session={session} score={score} missed={value.missed} />}
      {questions.length > 0 && (
        <Panel title="Questions for you" label="Questions for you" aside={<span class="dim">they go into the debrief</span>}>
          <div class="kept-fields">{questions.map((one) => <Answer key={one.id} session={session} section={one} onSaved={reload} mayWrite={mayWrite} />)}</div>
        </Panel>
      )}
      {value.next && <NextSteps next={value.next} />}
      {facts.map((one) => <Panel key={one.id} title={one.title}><div class="paper"><Document nodes={withoutTitle(markdownNodes(one.markdown), one.title)} /></div></Panel>)}
    </>
  )
}
