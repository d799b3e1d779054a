// The postmortem's editor: Markdown on one side, the document on the other.
//
//     clean --typing--> dirty --1.5 s of rest--> saving --2xx--> clean (newer revision)
//                         ^                        |  --409--> conflict: theirs or mine?
//                         +--typed meanwhile-------+  --else-> dirty, tried again in 10 s
//
// (1) What is typed is in this browser's storage until alertd has it: closing loses nothing.
// (2) A conflict never overwrites: the person sees both and chooses.

import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, call, may } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { changed } from '../app/data.ts'
import { useKey } from '../app/keyboard.ts'
import { say } from '../app/toast.ts'
import type { DocumentNode, Postmortem as Doc, PostmortemStatus } from '../app/types.ts'
import { count } from '../lib/number.ts'
import { Document } from '../ui/document.tsx'
import { Icon } from '../ui/icon.tsx'
import { Chips, Empty, State, Trouble, Waiting } from '../ui/parts.tsx'
import { Ago } from '../ui/time.tsx'

const REST_MS = 1500
const RETRY_MS = 10_000
const PREVIEW_REST_MS = 350

type Saving = 'clean' | 'dirty' | 'saving' | 'conflict' | 'failed'
const SAYS: Record<Saving, string> = { clean: 'Saved', dirty: 'Not saved yet', saving: 'Saving …', conflict: 'Changed by someone else', failed: 'Not saved, trying again' }

/** The document as the server has it, the text as it is typed, and how they come together. */
function useDocument(path: string) {
  const kept = `draft ${path}`
  const [doc, setDoc] = useState<Doc | null>(null)
  const [text, setText] = useState('')
  const [saving, setSaving] = useState<Saving>('clean')
  const [error, setError] = useState<ApiError | null>(null)
  const [theirs, setTheirs] = useState<Doc | null>(null)
  const latest = useRef({ text, doc })
  latest.current = { text, doc }

  useEffect(() => {
    call<Doc>(path).then((loaded) => {
      const draft = localStorage.getItem(kept)
      setDoc(loaded)
      setText(draft ?? loaded.markdown)
      if (draft !== null && draft !== loaded.markdown) setSaving('dirty')
    }).catch(setError)
  }, [path])

  const save = async (over?: Doc) => {
    const base = over ?? latest.current.doc
    const sent = latest.current.text
    if (!base) return
    setSaving('saving')
    try {
      const saved = await call<Doc>(path, { method: 'PUT', json: { markdown: sent, revision: base.revision } })
      setDoc(saved)
      setTheirs(null)
      if (latest.current.text === sent) {
        localStorage.removeItem(kept)
        setSaving('clean')
      } else {
        setSaving('dirty')
      }
      changed('postmortem')
    } catch (reason) {
      if (reason instanceof ApiError && reason.status === 409) {
        setTheirs(await call<Doc>(path).catch(() => null))
        setSaving('conflict')
      } else {
        setSaving('failed')
      }
    }
  }

  useEffect(() => {
    if (saving !== 'dirty' && saving !== 'failed') return undefined
    const timer = setTimeout(() => { void save() }, saving === 'failed' ? RETRY_MS : REST_MS)
    return () => clearTimeout(timer)
  }, [text, saving])

  const type = (next: string) => {
    setText(next)
    localStorage.setItem(kept, next)
    if (saving !== 'conflict') setSaving('dirty')
  }
  const takeTheirs = () => {
    if (!theirs) return
    localStorage.removeItem(kept)
    setDoc(theirs)
    setText(theirs.markdown)
    setTheirs(null)
    setSaving('clean')
  }
  return { doc, setDoc, text, type, saving, save, error, theirs, takeTheirs }
}

/** The tree of what is typed, half a second behind; an old answer never replaces a newer. */
function usePreview(path: string, markdown: string, ready: boolean) {
  const [nodes, setNodes] = useState<DocumentNode[] | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  useEffect(() => {
    if (!ready) return undefined
    const asked = new AbortController()
    const timer = setTimeout(() => {
      call<{ nodes: DocumentNode[] }>(`${path}/preview`, { json: { markdown }, signal: asked.signal })
        .then((answer) => { setNodes(answer.nodes); setError(null) })
        .catch((reason: ApiError) => { if (reason.type !== 'cancelled') setError(reason) })
    }, nodes === null ? 0 : PREVIEW_REST_MS)
    return () => { clearTimeout(timer); asked.abort() }
  }, [path, markdown, ready])
  return { nodes, error }
}

function StatusMenu({ doc, onChange }: { doc: Doc; onChange: (doc: Doc) => void }) {
  const set = async (status: PostmortemStatus) => {
    try {
      onChange(await call<Doc>(`/api/alertd/v1/postmortems/${doc.id}/status`, { json: { status } }))
      changed('postmortem')
    } catch (error) {
      say(`The status could not be changed: ${error instanceof ApiError ? error.message : String(error)}`, 'bad')
    }
  }
  const choices = [{ value: 'draft', words: 'Draft' }, { value: 'in_review', words: 'In review' }, { value: 'published', words: 'Published' }]
  return <Chips name="Status" value={doc.status} onChoose={(value) => { if (value !== doc.status) void set(value as PostmortemStatus) }} choices={choices} />
}

function Conflict({ theirs, onMine, onTheirs }: { theirs: Doc | null; onMine: () => void; onTheirs: () => void }) {
  return (
    <div class="trouble" role="alert"><Icon name="alarm" />
      <div class="grow"><p><b>{theirs?.updated_by ?? 'Someone'} saved a newer version while you wrote.</b> Yours is kept in this browser until you choose.</p>
        {theirs && <details><summary>Show theirs</summary><pre class="code" tabIndex={0} aria-label="Their version">{theirs.markdown}</pre></details>}</div>
      <button type="button" disabled={!theirs} onClick={onTheirs}>Take theirs</button><button type="button" class="primary" disabled={!theirs} onClick={onMine}>Keep mine</button></div>
  )
}

export function Postmortem({ id }: { id: string }) {
  const path = `/api/alertd/v1/postmortems/${encodeURIComponent(id)}`
  const { doc, setDoc, text, type, saving, save, error, theirs, takeTheirs } = useDocument(path)
  const preview = usePreview(path, text, doc !== null)
  const [side, setSide] = useState('write')
  const area = useRef<HTMLTextAreaElement>(null)
  const canWrite = may('operate')
  pageTitle.value = doc?.title ?? 'Postmortem'
  useKey('n', 'Write', () => { setSide('write'); requestAnimationFrame(() => area.current?.focus()) }, 'Postmortem')

  if (error?.status === 404) return <Empty icon="postmortems" title="There is no such postmortem"><p><a href="/pm">All postmortems</a></p></Empty>
  if (error) return <Trouble error={error} what="The postmortem could not be read" />
  if (!doc) return <Waiting rows={6} />
  return (
    <div class={`postmortem show-${side}`}>
      <header class="page-head">
        <div>
          <p class="crumbs"><a href="/pm">Postmortems</a> <span aria-hidden="true">/</span> <a class="num" href={`/i/${doc.incident}`}>{doc.incident}</a></p>
          <h1>{doc.title}</h1>
          <p class="lead"><span class={`saving ${saving}`} role="status">{SAYS[saving]}</span> · revision {doc.revision}, {doc.updated_by && `${doc.updated_by} `}<Ago at={doc.updated_at} />{doc.open_prompts > 0 && <> · <span class="warn-ink">{count(doc.open_prompts, 'question')} open</span></>}</p>
        </div>
        <div class="actions">
          {canWrite ? <StatusMenu doc={doc} onChange={(next) => setDoc({ ...next, markdown: doc.markdown })} /> : <State state={doc.status} />}
          <a class="button" href={`${path}/export?format=md`} download><Icon name="download" size={16} /> Markdown</a>
          <a class="button" href={`${path}/export?format=html`} download><Icon name="download" size={16} /> HTML</a>
        </div>
      </header>
      {saving === 'conflict' && <Conflict theirs={theirs} onMine={() => { void save(theirs ?? undefined) }} onTheirs={takeTheirs} />}
      <div class="side-switch"><Chips name="Side" value={side} onChoose={setSide} choices={[{ value: 'write', words: 'Write' }, { value: 'read', words: 'Read' }]} /></div>
      <div class="split">
        <section class="panel write" aria-label="Markdown">
          <textarea ref={area} class="mono" aria-label="Markdown" spellcheck readOnly={!canWrite || doc.status === 'published'} value={text}
                    onInput={(event) => type(event.currentTarget.value)} />
          {doc.status === 'published' && <p class="foot dim">Published: frozen. Choose Draft to change it.</p>}
        </section>
        <section class="panel read" aria-label="Preview" tabIndex={0}>
          {preview.error && <Trouble error={preview.error} what="The preview could not be made" />}
          {preview.nodes ? <Document nodes={preview.nodes} /> : <Waiting rows={6} />}
        </section>
      </div>
    </div>
  )
}
