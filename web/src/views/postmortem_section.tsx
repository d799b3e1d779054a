// One section of a postmortem: what facts say above, what people write below.
//
//     clean --typing--> dirty --1.5 s of rest--> saving --2xx--> clean (newer revision)
//                         ^                        |  --409--> conflict: both texts are shown
//                         +--typed meanwhile-------+  --else-> failed, tried again in 10 s
//
// (1) What is typed is in this browser's storage until alertd has it: closing loses nothing.
// (2) A conflict never overwrites: the person sees both texts and what lies between, and chooses.

import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, call } from '../app/api.ts'
import { changed } from '../app/data.ts'
import type { DiffLine, DocumentNode, Postmortem, PostmortemHint, PostmortemSection } from '../app/types.ts'
import { LongDocument } from '../ui/document.tsx'
import { Icon } from '../ui/icon.tsx'
import { memo } from '../ui/memo.ts'
import { State, Trouble } from '../ui/parts.tsx'
import { Lines, Revisions } from './postmortem_diff.tsx'

const REST_MS = 1500
const RETRY_MS = 10_000
const PREVIEW_REST_MS = 350
/** A long text is drawn less often, so that typing stays ahead of it. */
const PREVIEW_BYTES_PER_MS = 100

type Saving = 'clean' | 'dirty' | 'saving' | 'conflict' | 'failed'
const SAYS: Record<Saving, string> = { clean: 'Saved', dirty: 'Not saved yet', saving: 'Saving …', conflict: 'Changed by someone else', failed: 'Not saved, trying again' }

interface Stale { error: string; theirs?: PostmortemSection; yours?: string; diff?: DiffLine[] | null }

function useSection(path: string, section: PostmortemSection, onSaved: (doc: Postmortem) => void) {
  const kept = `draft ${path}`
  const [text, setText] = useState(() => localStorage.getItem(kept) ?? section.body)
  const [saving, setSaving] = useState<Saving>(() => (localStorage.getItem(kept) ?? section.body) === section.body ? 'clean' : 'dirty')
  const [stale, setStale] = useState<Stale | null>(null)
  const latest = useRef({ text, revision: section.revision })
  latest.current.text = text

  useEffect(() => {
    if (saving !== 'clean') return
    latest.current.revision = section.revision
    setText(section.body)
  }, [section.revision])

  const save = async (over?: { revision: number; attach?: boolean; detach?: boolean }) => {
    const sent = latest.current.text
    setSaving('saving')
    try {
      const saved = await call<Postmortem>(path, {
        method: 'PUT', headers: { 'If-Match': `"${over?.revision ?? latest.current.revision}"` },
        json: { markdown: sent, ...(over?.attach ? { attach: true } : {}), ...(over?.detach ? { detach: true } : {}) },
      })
      const mine = saved.sections.find((one) => one.id === section.id)
      latest.current.revision = mine?.revision ?? latest.current.revision + 1
      setStale(null)
      if (over?.detach && mine) setText(mine.body)
      if (over?.detach || latest.current.text === sent) {
        localStorage.removeItem(kept)
        setSaving('clean')
      } else {
        setSaving('dirty')
      }
      onSaved(saved)
      changed('postmortem')
    } catch (reason) {
      if (reason instanceof ApiError && reason.status === 409) {
        setStale({ error: reason.message, ...(reason.body as Partial<Stale>) })
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
    if (!stale?.theirs) return
    localStorage.removeItem(kept)
    latest.current.revision = stale.theirs.revision
    setText(stale.theirs.body)
    setStale(null)
    setSaving('clean')
  }
  return { text, type, saving, save, stale, takeTheirs }
}

/** The tree of what is typed, a little behind; an old answer never replaces a newer. */
function usePreview(path: string, markdown: string, wanted: boolean) {
  const [nodes, setNodes] = useState<DocumentNode[] | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  useEffect(() => {
    if (!wanted) return undefined
    const asked = new AbortController()
    const timer = setTimeout(() => {
      call<{ nodes: DocumentNode[] }>(path, { json: { markdown }, signal: asked.signal })
        .then((answer) => { setNodes(answer.nodes); setError(null) })
        .catch((reason: ApiError) => { if (reason.type !== 'cancelled') setError(reason) })
    }, nodes === null ? 0 : PREVIEW_REST_MS + markdown.length / PREVIEW_BYTES_PER_MS)
    return () => { clearTimeout(timer); asked.abort() }
  }, [path, markdown, wanted])
  return { nodes, error }
}

const Drawn = memo(({ nodes }: { nodes: DocumentNode[] }) => <LongDocument nodes={nodes} />, (a, b) => a.nodes === b.nodes)

function Conflict({ stale, mine, onMine, onTheirs }: { stale: Stale; mine: string; onMine: () => void; onTheirs: () => void }) {
  return (
    <div class="trouble conflict" role="alert"><Icon name="alarm" />
      <div class="grow"><p><b>{stale.theirs?.updated_by ?? 'Someone'} saved a newer version while you wrote.</b> Yours is kept in this browser until you choose. {!stale.theirs && stale.error}</p>
        {stale.theirs && (
          <>
            <div class="both"><div><h4>Theirs</h4><pre class="code" tabIndex={0} aria-label="Their version">{stale.theirs.body}</pre></div>
              <div><h4>Yours</h4><pre class="code" tabIndex={0} aria-label="Your version">{mine}</pre></div></div>
            {stale.diff && <details><summary>What differs</summary><Lines lines={stale.diff} /></details>}
          </>
        )}</div>
      <button type="button" disabled={!stale.theirs} onClick={onTheirs}>Take theirs</button><button type="button" class="primary" disabled={!stale.theirs} onClick={onMine}>Keep mine</button></div>
  )
}

interface Props {
  doc: { id: number; path: string }
  section: PostmortemSection
  hints: PostmortemHint[]
  canWrite: boolean
  editing: boolean
  onEdit: (id: string | null) => void
  onSaved: (doc: Postmortem) => void
  onDismiss: (hint: PostmortemHint) => void
}

function Editor({ doc, section, onEdit, onSaved }: Props) {
  const path = `${doc.path}/sections/${section.id}`
  const { text, type, saving, save, stale, takeTheirs } = useSection(path, section, onSaved)
  const preview = usePreview(`${doc.path}/preview`, text, true)
  const area = useRef<HTMLTextAreaElement>(null)
  useEffect(() => { area.current?.focus() }, [])
  return (
    <div class="editing">
      {stale && <Conflict stale={stale} mine={text} onMine={() => { void save({ revision: stale.theirs?.revision ?? section.revision }) }} onTheirs={takeTheirs} />}
      <div class="split">
        <div class="write">
          <textarea ref={area} class="mono" id={`text-${section.id}`} aria-label={`Markdown of ${section.title || section.id}`} spellcheck value={text}
                    onInput={(event) => type(event.currentTarget.value)}
                    onKeyDown={(event) => { if (event.key === 'Escape' && saving === 'clean') { event.stopPropagation(); onEdit(null) } }} />
        </div>
        <div class="read" role="region" aria-label="Preview" tabIndex={0}>
          {preview.error && <Trouble error={preview.error} what="The preview could not be made" />}
          {preview.nodes && <Drawn nodes={preview.nodes} />}
        </div>
      </div>
      <p class="foot"><span class={`saving ${saving}`} role="status">{SAYS[saving]}</span>
        {section.detached && <button type="button" class="quiet" onClick={() => { void save({ revision: section.revision, attach: true }) }}>Show the facts again</button>}
        <Revisions path={path} revision={section.revision} />
        <button type="button" class="quiet" onClick={() => onEdit(null)}>Done</button></p>
    </div>
  )
}

function SectionPanel(props: Props) {
  const { doc, section, hints, canWrite, editing, onEdit, onSaved, onDismiss } = props
  const name = section.title || (section.id === 'head' ? 'Title' : section.id)
  const detach = async () => {
    onSaved(await call<Postmortem>(`${doc.path}/sections/${section.id}`, { method: 'PUT', headers: { 'If-Match': `"${section.revision}"` }, json: { detach: true } }))
    onEdit(section.id)
  }
  return (
    <section class={`panel section ${section.state}`} id={`s-${section.id}`} aria-label={name}>
      <header class="panel-head"><h2>{name}</h2>
        <div class="panel-aside"><State state={section.state} />
          {canWrite && !editing && (section.mode === 'human' || section.detached
            ? <button type="button" onClick={() => onEdit(section.id)}><Icon name="note" size={16} /> Write<span class="hidden"> {name}</span></button>
            : <details class="menu"><summary class="button quiet" aria-label={`More for ${name}`}>…</summary><div class="menu-list"><button type="button" onClick={() => { void detach() }}>Make it my text: facts no longer change it</button></div></details>)}
        </div></header>
      {section.trouble && <p class="pad warn-ink">Its facts can't be put in: {section.trouble}</p>}
      {section.state === 'stale' && <p class="pad warn-ink">The facts changed since this was taken over: compare, then write, or show the facts again.</p>}
      {section.generated_nodes && section.generated_nodes.length > 0 && <div class="paper"><Drawn nodes={section.generated_nodes} /></div>}
      {editing ? <Editor {...props} /> : section.body_nodes && section.body_nodes.length > 0 && <div class="paper"><Drawn nodes={section.body_nodes} /></div>}
      {hints.length > 0 && (
        <ul class="hints" aria-label={`Hints for ${name}`}>{hints.map((hint) => (
          <li key={hint.phrase}><b>“{hint.phrase}”</b> <span class="dim">line {hint.line}, {hint.kind}:</span> {hint.advice}
            {canWrite && <button type="button" class="quiet" onClick={() => onDismiss(hint)}>Leave it<span class="hidden"> as “{hint.phrase}”</span></button>}</li>
        ))}</ul>
      )}
    </section>
  )
}

/** A save elsewhere in the document draws only what it changed. */
export const Section = memo(SectionPanel, (a, b) =>
  a.editing === b.editing && a.canWrite === b.canWrite && a.section.revision === b.section.revision && a.section.generated === b.section.generated &&
  a.section.state === b.section.state && a.section.detached === b.section.detached && a.hints.length === b.hints.length)
