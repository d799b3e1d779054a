// The debrief of a drill: what alertd drafted from what was done, and three questions only the
// player can answer. What is typed saves itself.

import { useRef } from 'preact/hooks'
import { call } from '../app/api.ts'
import { useData } from '../app/data.ts'
import { sessionPath } from '../app/drill.ts'
import type { Debrief, DebriefSection, Session } from '../app/drill_types.ts'
import { useKept } from '../app/kept.ts'
import { Document } from '../ui/document.tsx'
import { Icon } from '../ui/icon.tsx'
import { Panel, Trouble, Waiting } from '../ui/parts.tsx'

const SAYS = { clean: 'Saved', dirty: 'Not saved yet', saving: 'Saving …', failed: 'Not saved, trying again' }

function Words({ section }: { section: DebriefSection }) {
  return section.nodes
    ? <div class="paper"><Document nodes={section.nodes} /></div>
    : <div class="paper">{section.markdown.split(/\n{2,}/).map((part, i) => <p key={i} class="drill-plain">{part}</p>)}</div>
}

function Answer({ session, section, etag, onSaved, mayWrite }: { session: Session; section: DebriefSection; etag: string; onSaved: (etag: string) => void; mayWrite: boolean }) {
  const latest = useRef(etag)
  latest.current = etag
  const save = async (text: string) => {
    const saved = await call<Debrief>(`${sessionPath(session.id)}/debrief/sections/${encodeURIComponent(section.id)}`, { method: 'PUT', headers: { 'If-Match': latest.current }, json: { markdown: text } })
    latest.current = saved.etag
    onSaved(saved.etag)
  }
  const kept = useKept(`debrief ${session.id} ${section.id}`, section.markdown, save)
  const id = `debrief-${section.id}`
  return (
    <div class="kept">
      <div class="between"><label for={id}>{section.title}</label>{mayWrite && (kept.text || kept.keeping !== 'clean') && <span class={`saving ${kept.keeping}`} role="status" title={kept.problem}>{SAYS[kept.keeping]}</span>}</div>
      <textarea id={id} rows={3} maxLength={8000} value={kept.text} readOnly={!mayWrite} placeholder={mayWrite ? 'A sentence or two: it is for you, and for whoever plays it next' : 'Not answered'}
                onInput={(event) => kept.type(event.currentTarget.value)} onBlur={() => { void kept.saveNow() }} />
      {kept.keeping === 'failed' && kept.problem && <p class="bad-ink kept-problem" role="alert">{kept.problem}</p>}
    </div>
  )
}

export function DebriefPanels({ session }: { session: Session }) {
  const path = `${sessionPath(session.id)}/debrief`
  const { value, error, reload } = useData<Debrief>(path, ['drill'], 60_000)
  const etag = useRef<string | null>(null)
  if (!value) {
    if (error?.status === 404 || error?.status === 501) return null
    return error ? <Trouble error={error} what="The debrief could not be read" retry={reload} /> : <Panel title="Debrief"><Waiting /></Panel>
  }
  const questions = value.sections.filter((one) => one.kind === 'person')
  const facts = value.sections.filter((one) => one.kind === 'facts' && one.markdown.trim() !== '')
  const mayWrite = session.role === 'player' || session.role === 'scribe' || session.role === 'master'
  return (
    <>
      {questions.length > 0 && (
        <Panel title="Three questions for you" label="Three questions" aside={<span class="dim">they go into the debrief</span>}>
          <div class="kept-fields">{questions.map((one) => <Answer key={one.id} session={session} section={one} etag={etag.current ?? value.etag} onSaved={(next) => { etag.current = next }} mayWrite={mayWrite} />)}</div>
        </Panel>
      )}
      {value.next && value.next.length > 0 && (
        <Panel title="What to do next"><ul class="rows">{value.next.map((one) => <li key={one.href}><Icon name="chevron" /><a class="grow" href={one.href}>{one.text}</a></li>)}</ul></Panel>
      )}
      {facts.map((one) => <Panel key={one.id} title={one.title}><Words section={one} /></Panel>)}
    </>
  )
}
