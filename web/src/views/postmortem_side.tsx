// Beside a postmortem: its sections, what is missing, what the record leaves open, graphs to put
// in, what reviewers say, what was published.

import { useState } from 'preact/hooks'
import { ApiError, call } from '../app/api.ts'
import { say } from '../app/toast.ts'
import type { DiffLine, Postmortem, PostmortemQuestion } from '../app/types.ts'
import { Dialog, Field } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { Panel } from '../ui/parts.tsx'
import { Ago } from '../ui/time.tsx'
import { Lines } from './postmortem_diff.tsx'

interface Props { doc: Postmortem; path: string; canWrite: boolean; onSaved: (doc: Postmortem) => void }

/** Runs a call whose answer is the document; what is refused is said. */
export async function change(what: () => Promise<Postmortem>, onSaved: (doc: Postmortem) => void): Promise<boolean> {
  try {
    onSaved(await what())
    return true
  } catch (error) {
    say(error instanceof ApiError ? error.message : String(error), 'bad')
    return false
  }
}

const DOT = { auto: 'idle', needs_you: 'warn', done: 'ok', stale: 'accent' }
const WORD = { auto: 'facts', needs_you: 'needs you', done: 'written', stale: 'facts changed' }

export function Contents({ doc, editing, onEdit }: { doc: Postmortem; editing: string | null; onEdit: (id: string) => void }) {
  return (
    <nav class="panel contents" aria-label="Sections">
      <ol>{doc.sections.map((section) => (
        <li key={section.id}><a href={`#s-${section.id}`} aria-current={editing === section.id ? 'true' : undefined}
                               onClick={(event) => { event.preventDefault(); event.stopPropagation(); document.getElementById(`s-${section.id}`)?.scrollIntoView(); if (section.state === 'needs_you') onEdit(section.id) }}>
          <i class={`dot ${DOT[section.state]}`} aria-hidden="true" />{section.title || 'Title'}<span class="hidden">, {WORD[section.state]}</span></a></li>
      ))}</ol>
    </nav>
  )
}

export function Missing({ doc }: { doc: Postmortem }) {
  if (doc.status === 'published' || doc.status === 'closed') return null
  return (
    <Panel title="Before it is published">
      {doc.blockers.length === 0 ? <p class="pad">Nothing is missing.</p> : <ul class="plain">{doc.blockers.map((one) => <li key={one}>{one}</li>)}</ul>}
    </Panel>
  )
}

function Question({ question, path, canWrite, onSaved }: Omit<Props, 'doc'> & { question: PostmortemQuestion }) {
  const [answer, setAnswer] = useState<string | null>(null)
  const send = async (event: Event) => {
    event.preventDefault()
    if (await change(() => call<Postmortem>(`${path}/answers`, { json: { question: question.text, answer: answer ?? '' } }), onSaved)) setAnswer(null)
  }
  return (
    <li>
      <p>{question.text} <span class="dim">({question.why})</span></p>
      {question.answer && answer === null && <p><b>{question.answer}</b> <span class="dim">{question.answered_by}</span></p>}
      {canWrite && (answer === null
        ? <button type="button" class="quiet" onClick={() => setAnswer(question.answer)}>{question.answer ? 'Change the answer' : 'Answer'}<span class="hidden"> to {question.text}</span></button>
        : <form class="row" onSubmit={(event) => { void send(event) }}><input class="grow" aria-label={`Answer to ${question.text}`} value={answer} onInput={(event) => setAnswer(event.currentTarget.value)} /><button type="submit" class="primary">Keep</button></form>)}
    </li>
  )
}

export function Questions(props: Props) {
  const { doc } = props
  if (doc.questions.length === 0) return null
  return <Panel title="What the record leaves open"><ul class="plain">{doc.questions.map((question) => <Question key={question.text} {...props} question={question} />)}</ul></Panel>
}

/** Puts a graph where the cursor is: of those at hand, or of any query. */
export function Graphs({ doc, path, canWrite, editing, onSaved }: Props & { editing: string | null }) {
  const [open, setOpen] = useState(false)
  const [query, setQuery] = useState('')
  const [title, setTitle] = useState('')
  const insert = (id: number, words: string) => {
    const area = editing ? document.getElementById(`text-${editing}`) as HTMLTextAreaElement | null : null
    if (!area) return
    area.focus()
    area.setRangeText(`\n\n![${words.replace(/[[\]\\]/g, ' ')}](graph:${id})\n\n`, area.selectionStart, area.selectionEnd, 'end')
    area.dispatchEvent(new Event('input', { bubbles: true }))
  }
  const add = async (event: Event) => {
    event.preventDefault()
    const before = new Set(doc.graphs.map((one) => one.id))
    await change(async () => {
      const saved = await call<Postmortem>(`${path}/graphs`, { json: { query, title } })
      const made = saved.graphs.find((one) => !before.has(one.id))
      if (made) insert(made.id, made.title)
      setOpen(false)
      return saved
    }, onSaved)
  }
  return (
    <Panel title="Graphs" aside={canWrite && <button type="button" class="quiet" onClick={() => setOpen(true)}>Add</button>}>
      {doc.graphs.length === 0 ? <p class="dim pad">No graph was frozen.</p> : (
        <ul class="plain">{doc.graphs.map((graph) => (
          <li key={graph.id}>{graph.title}{canWrite && <button type="button" class="quiet" disabled={!editing} title={editing ? undefined : 'Open a section to write in first'} onClick={() => insert(graph.id, graph.title)}>Put in<span class="hidden"> {graph.title}</span></button>}</li>
        ))}</ul>
      )}
      {open && (
        <Dialog title="A graph of any query, frozen" onClose={() => setOpen(false)}>
          <form class="fields" onSubmit={(event) => { void add(event) }}>
            <Field label="PromQL" hint="Over the incident's window. A comparison with a number becomes a line."><textarea class="mono" rows={3} required value={query} onInput={(event) => setQuery(event.currentTarget.value)} /></Field>
            <Field label="Title (optional)"><input value={title} onInput={(event) => setTitle(event.currentTarget.value)} /></Field>
            <p class="foot"><button type="button" onClick={() => setOpen(false)}>Cancel</button><button type="submit" class="primary">Freeze it</button></p>
          </form>
        </Dialog>
      )}
    </Panel>
  )
}

const SAID = { asked: 'is asked to read it', approved: 'approved it', changes: 'asks for changes', comment: 'says' }

export function Reviews({ doc, path, canWrite, onSaved }: Props) {
  const [text, setText] = useState('')
  const [who, setWho] = useState('')
  const send = (json: Record<string, string>) => async () => {
    if (await change(() => call<Postmortem>(`${path}/reviews`, { json }), onSaved)) { setText(''); setWho('') }
  }
  return (
    <Panel title="Reviews">
      {doc.reviews.length > 0 && <ul class="plain">{doc.reviews.map((one, i) => <li key={i}><b>{one.who}</b> {SAID[one.verdict]} <span class="dim"><Ago at={one.at} /></span>{one.text && <p>{one.text}</p>}</li>)}</ul>}
      {canWrite && doc.status !== 'published' && doc.status !== 'closed' && (
        <div class="fields pad">
          <form class="row" onSubmit={(event) => { event.preventDefault(); void send({ verdict: 'asked', reviewer: who })() }}>
            <input class="grow" aria-label="Whom to ask" placeholder="Whom to ask" required value={who} onInput={(event) => setWho(event.currentTarget.value)} /><button type="submit">Ask</button></form>
          <textarea rows={2} aria-label="What you say about it" placeholder="What you say about it" value={text} onInput={(event) => setText(event.currentTarget.value)} />
          <div class="row"><button type="button" onClick={() => { void send({ verdict: 'comment', text })() }} disabled={!text}>Comment</button>
            <button type="button" onClick={() => { void send({ verdict: 'changes', text })() }} disabled={!text}>Ask for changes</button>
            <button type="button" class="primary" onClick={() => { void send({ verdict: 'approved', text })() }}>Approve</button></div>
        </div>
      )}
    </Panel>
  )
}

export function Versions({ doc, path }: { doc: Postmortem; path: string }) {
  const [lines, setLines] = useState<DiffLine[] | null>(null)
  if (doc.versions.length === 0) return null
  const show = async (from: number, to: number) => {
    try {
      setLines((await call<{ diff: DiffLine[] }>(`${path}/diff?from=${from}&to=${to}`)).diff)
    } catch (error) {
      say(error instanceof ApiError ? error.message : String(error), 'bad')
    }
  }
  return (
    <Panel title="Published">
      <ul class="plain">{doc.versions.map((one) => (
        <li key={one.version}><b>Version {one.version}</b> <span class="dim">{one.published_by}, <Ago at={one.published_at} /></span>
          <p class="num dim hash" title="SHA-256 of text, page, facts, graphs and samples"><Icon name="check" size={14} /> {one.sha256.slice(0, 16)}…</p>
          <button type="button" class="quiet" onClick={() => { void show(one.version - 1, one.version) }}>What it changed</button>
          {one.version === doc.version && doc.status !== 'published' && doc.status !== 'closed' && <button type="button" class="quiet" onClick={() => { void show(one.version, 0) }}>What changed since</button>}</li>
      ))}</ul>
      {lines && <Dialog title="What changed" onClose={() => setLines(null)}><Lines lines={lines} /></Dialog>}
    </Panel>
  )
}
