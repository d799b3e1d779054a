// A postmortem: its sections, each with what facts say and what people write, and beside them
// what is still missing. Sections, saving and conflicts: postmortem_section.tsx.

import { useEffect, useMemo, useState } from 'preact/hooks'
import { ApiError, call, may } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { changed, useData } from '../app/data.ts'
import { useKey } from '../app/keyboard.ts'
import type { Postmortem as Doc, PostmortemHint } from '../app/types.ts'
import { count } from '../lib/number.ts'
import { Sure } from '../ui/dialog.tsx'
import { GraphBase } from '../ui/document.tsx'
import { Icon } from '../ui/icon.tsx'
import { Empty, State, Trouble, Waiting } from '../ui/parts.tsx'
import { Ago } from '../ui/time.tsx'
import { Actions } from './postmortem_actions.tsx'
import { Section } from './postmortem_section.tsx'
import { change, Contents, Graphs, Missing, Questions, Reviews, Versions } from './postmortem_side.tsx'

/** The document as alertd has it: what a change answered, or what the live stream made us ask. */
function useDocument(path: string) {
  const data = useData<Doc>(`${path}?view=page`, ['postmortem', 'incident'], 60_000)
  const [doc, setDoc] = useState<Doc | null>(null)
  useEffect(() => {
    const loaded = data.value
    if (loaded) setDoc((old) => old && old.revision > loaded.revision ? old : loaded)
  }, [data.value])
  return { doc, setDoc, error: data.value ? null : data.error }
}

const NEXT: Record<string, { status: string; words: string }> = {
  draft: { status: 'in_review', words: 'Send to review' },
  in_review: { status: 'reviewed', words: 'Reviewed' },
  published: { status: 'closed', words: 'Close' },
}

function Steps({ doc, path, onSaved }: { doc: Doc; path: string; onSaved: (doc: Doc) => void }) {
  const next = NEXT[doc.status]
  const set = (status: string) => { void change(() => call<Doc>(`${path}/status`, { json: { status } }), onSaved) }
  const publish = (alone: boolean) => { void change(() => call<Doc>(`${path}/publish`, { json: alone ? { alone } : {} }), onSaved) }
  return (
    <>
      {doc.status !== 'draft' && <button type="button" onClick={() => set('draft')}>{doc.status === 'published' || doc.status === 'closed' ? 'Correct it' : 'Back to draft'}</button>}
      {next && <button type="button" onClick={() => set(next.status)}>{next.words}</button>}
      {doc.status === 'reviewed' && <button type="button" class="primary" onClick={() => publish(false)}>Publish</button>}
      {(doc.status === 'draft' || doc.status === 'in_review') && <Sure words="Publish alone" sure="Nobody else will read it first: publish" onSure={() => publish(true)} />}
    </>
  )
}

const FORMATS = [['md', 'Markdown'], ['html', 'One HTML file'], ['json', 'JSON, to bring in elsewhere'], ['tar', 'All of it, as a tar']] as const

/** What goes out to the public is without facts: they carry names. */
function Exports({ path, kind }: { path: string; kind: string }) {
  return (
    <details class="menu">
      <summary class="button"><Icon name="download" size={16} /> Export</summary>
      <div class="menu-list">
        {FORMATS.filter(([format]) => kind !== 'public' || format === 'md' || format === 'html').map(([format, words]) => <a key={format} class="button" href={`${path}/export?format=${format}`} download>{words}</a>)}
        {kind !== 'public' && <a class="button" href={`${path}/export?format=html&audience=public`} download>HTML with roles instead of names</a>}
      </div>
    </details>
  )
}

const NONE: PostmortemHint[] = []

export function Postmortem({ id }: { id: string }) {
  const path = `/api/alertd/v1/postmortems/${encodeURIComponent(id)}`
  const { doc, setDoc, error } = useDocument(path)
  const [editing, setEditing] = useState<string | null>(null)
  const canWrite = may('operate') && doc?.status !== 'published' && doc?.status !== 'closed'
  const about = useMemo(() => ({ id: doc?.id ?? 0, path }), [doc?.id, path])
  pageTitle.value = doc?.title ?? 'Postmortem'

  const onSaved = (next: Doc) => { setDoc(next); changed('postmortem') }
  const dismiss = (hint: PostmortemHint) => { void change(() => call<Doc>(`${path}/hints/dismiss`, { json: { section: hint.section, phrase: hint.phrase } }), onSaved) }
  const edit = (section: string | null) => {
    if (section) requestAnimationFrame(() => document.getElementById(`s-${section}`)?.scrollIntoView({ block: 'start' }))
    setEditing(section)
  }
  useKey('n', 'Write the next section that needs you', () => {
    const open = doc?.sections.filter((one) => one.state === 'needs_you' && one.id !== editing) ?? []
    const from = doc?.sections.findIndex((one) => one.id === editing) ?? -1
    const next = open.find((one) => (doc?.sections.indexOf(one) ?? 0) > from) ?? open[0] ?? doc?.sections.find((one) => one.mode === 'human')
    if (next && canWrite) edit(next.id)
  }, 'Postmortem')

  if (error?.status === 404) return <Empty icon="postmortems" title="There is no such postmortem"><p><a href="/pm">All postmortems</a></p></Empty>
  if (error) return <Trouble error={error instanceof ApiError ? error : new ApiError(0, 'error', String(error))} what="The postmortem could not be read" />
  if (!doc) return <Waiting rows={6} />
  const side = { doc, path, canWrite, onSaved }
  return (
    <GraphBase.Provider value={`${path}/graphs`}>
      <div class="postmortem">
        <header class="page-head">
          <div>
            <p class="crumbs"><a href="/pm">Postmortems</a> <span aria-hidden="true">/</span> <a class="num" href={`/i/${doc.incident}`}>{doc.incident}</a>{doc.kind === 'public' && ' / public'}</p>
            <h1>{doc.title}</h1>
            <p class="lead"><State state={doc.status} /> · {doc.owner ? `${doc.owner} owns it` : 'nobody owns it'}{doc.due_at && ` · due ${doc.due_at.slice(0, 10)}`} · revision {doc.revision}, {doc.updated_by && `${doc.updated_by} `}<Ago at={doc.updated_at} />{doc.open_prompts > 0 && <> · <span class="warn-ink">{count(doc.open_prompts, 'question')} open</span></>}</p>
          </div>
          <div class="actions">{may('operate') && <Steps doc={doc} path={path} onSaved={onSaved} />}<Exports path={path} kind={doc.kind} /></div>
        </header>
        <div class="document-grid">
          <Contents doc={doc} editing={editing} onEdit={(section) => { if (canWrite) edit(section) }} />
          <div class="sections">
            {doc.sections.map((section) => (
              <Section key={section.id} doc={about} section={section} canWrite={canWrite} editing={canWrite && editing === section.id} onEdit={edit} onSaved={onSaved}
                       hints={doc.hints.some((hint) => hint.section === section.id) ? doc.hints.filter((hint) => hint.section === section.id) : NONE} onDismiss={dismiss} />
            ))}
            <Actions doc={doc} path={path} canWrite={may('operate')} onSaved={onSaved} />
          </div>
          <aside class="doc-side" aria-label="About this document">
            <Missing doc={doc} />
            <Questions {...side} />
            <Graphs {...side} editing={editing} />
            <Reviews {...side} />
            <Versions doc={doc} path={path} />
          </aside>
        </div>
      </div>
    </GraphBase.Provider>
  )
}
