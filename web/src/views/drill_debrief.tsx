// The debrief of a drill: what alertd drafted from what was done, and three questions only the
// player can answer. What is typed saves itself.

import { useEffect, useRef } from 'preact/hooks'
import { call } from '../app/api.ts'
import { useData } from '../app/data.ts'
import { sessionPath } from '../app/drill.ts'
import type { Debrief, DebriefSection, Session } from '../app/drill_types.ts'
import { useKept } from '../app/kept.ts'
import type { DocumentNode } from '../app/types.ts'
import { markdownNodes } from '../lib/markdown.ts'
import { plainText } from '../lib/section.ts'
import { Document } from '../ui/document.tsx'
import { Panel, Trouble, Waiting } from '../ui/parts.tsx'

const SAYS = { clean: 'Saved', dirty: 'Not saved yet', saving: 'Saving …', failed: 'Not saved, trying again' }

/** Clocks and timelines stand on the page already, and can be used there. */
const SHOWN_ELSEWHERE = ['head', 'clocks', 'beside', 'timeline', 'marks', 'response']

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

/** The panel has it. */
const withoutTitle = (nodes: DocumentNode[], title: string) => (nodes[0]?.type === 'heading' && plainText(nodes[0]) === title ? nodes.slice(1) : nodes)

export function DebriefPanels({ session }: { session: Session }) {
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
      {questions.length > 0 && (
        <Panel title="Questions for you" label="Questions for you" aside={<span class="dim">they go into the debrief</span>}>
          <div class="kept-fields">{questions.map((one) => <Answer key={one.id} session={session} section={one} onSaved={reload} mayWrite={mayWrite} />)}</div>
        </Panel>
      )}
      {facts.map((one) => <Panel key={one.id} title={one.title}><div class="paper"><Document nodes={withoutTitle(markdownNodes(one.markdown), one.title)} /></div></Panel>)}
    </>
  )
}
