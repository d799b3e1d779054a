// An own drill as text: checked with the parser that plays it, errors at their place, and a preview
// of what comes when nobody does anything.

import { useRef, useState } from 'preact/hooks'
import { ApiError, call, may } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { LIBRARY, newSession, playPath } from '../app/drill.ts'
import type { Moment } from '../app/drill_types.ts'
import { useKey } from '../app/keyboard.ts'
import { go } from '../app/router.ts'
import { say } from '../app/toast.ts'
import { formatClockTime, momentWords, placeIn } from '../lib/drill.ts'
import { count } from '../lib/number.ts'
import { Icon } from '../ui/icon.tsx'
import { Page, Panel, Shown, Trouble, Waiting } from '../ui/parts.tsx'
import { useDraft } from './drill_parts.tsx'

interface Source { text: string; files: string[] }
interface Check { words?: string; text?: string; line?: number; level?: string; ok?: boolean }
interface Preview { moments: Moment[]; checks: Check[] }

function Problem({ error, text, onGo }: { error: ApiError; text: string; onGo: (line: number, column: number) => void }) {
  const place = placeIn(error.message)
  const line = place && text.split('\n')[place.line - 1]
  return (
    <div class="trouble query-error" role="alert"><Icon name="alarm" />
      <div><p><b>{place ? `Line ${place.line}, column ${place.column}: ` : ''}</b>{place ? place.message : error.message}</p>
        {place && line !== undefined && line !== null && <pre class="caret" aria-hidden="true">{line}{'\n'}{' '.repeat(Math.max(0, place.column - 1))}^</pre>}</div>
      {place && <button type="button" onClick={() => onGo(place.line, place.column)}>Go there</button>}</div>
  )
}

function PreviewPanel({ preview }: { preview: Preview }) {
  return (
    <Panel title="When nobody does anything" aside={<span class="dim">{count(preview.moments.length, 'moment')}</span>}>
      {preview.checks.length > 0 && <ul class="drill-log drill-checks">{preview.checks.map((one, i) => <li key={i}><time>{one.line ? `line ${one.line}` : ''}</time><span class={one.ok === false || one.level === 'error' ? 'bad-ink' : one.level === 'warning' ? 'warn-ink' : ''}>{one.words ?? one.text}</span></li>)}</ul>}
      <ol class="drill-log">{preview.moments.map((one, i) => { const words = momentWords(one, 'the player'); return <li key={i}><time>{formatClockTime(one.at_ms)}</time><span class={words.tone === 'bad' ? 'bad-ink' : ''}>{words.text} <small class="dim">{words.who}</small></span></li> })}</ol>
    </Panel>
  )
}

function Editing({ name, source }: { name: string; source: Source }) {
  const [draft, setDraft] = useDraft(`library ${name}`)
  const [stored, setStored] = useState(source.text)
  const [error, setError] = useState<ApiError | null>(null)
  const [preview, setPreview] = useState<Preview | null>(null)
  const [busy, setBusy] = useState('')
  const area = useRef<HTMLTextAreaElement>(null)
  const lines = useRef<HTMLPreElement>(null)
  const text = draft || stored
  const changed = text !== stored
  const path = `${LIBRARY}/${encodeURIComponent(name)}`
  const attempt = async (what: string, run: () => Promise<void>) => {
    setBusy(what)
    try {
      await run()
      setError(null)
    } catch (reason) {
      setError(reason instanceof ApiError ? reason : new ApiError(0, 'error', String(reason)))
    }
    setBusy('')
  }
  const put = async () => {
    await call(path, { method: 'PUT', json: { text } })
    setStored(text)
    setDraft('')
  }
  const save = () => { void attempt('save', async () => { await put(); say('Saved', 'ok') }) }
  const look = () => { void attempt('preview', async () => { if (changed) await put(); setPreview(await call<Preview>(`${path}/preview`, { json: {}, limitMs: 60_000 })) }) }
  const play = () => { void attempt('play', async () => { if (changed) await put(); const id = await newSession({ drill: name, mode: 'solo' }); if (id !== null) go(playPath(id)) }) }
  const goTo = (line: number, column: number) => {
    const at = text.split('\n').slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + Math.max(0, column - 1)
    area.current?.focus()
    area.current?.setSelectionRange(at, at + 1)
    if (area.current) area.current.scrollTop = Math.max(0, (line - 8) * 20)
  }
  useKey('v', 'Preview', look, 'This drill')
  const mayWrite = may('operate')
  return (
    <>
      {error && <Problem error={error} text={text} onGo={goTo} />}
      <Panel title="The drill" label="The drill" aside={<span class={`saving ${changed ? 'dirty' : ''}`} role="status">{changed ? 'Not saved; kept in this browser' : 'Saved'}</span>}>
        <div class="drill-editor">
          <pre ref={lines} aria-hidden="true">{text.split('\n').map((_, i) => i + 1).join('\n')}</pre>
          <textarea ref={area} class="mono" aria-label="Text of the drill" spellcheck={false} wrap="off" value={text} readOnly={!mayWrite}
                    onInput={(event) => setDraft(event.currentTarget.value)} onScroll={(event) => { if (lines.current) lines.current.scrollTop = event.currentTarget.scrollTop }} />
        </div>
        <p class="foot drill-buttons">
          {mayWrite && <><button type="button" disabled={!changed || busy !== ''} onClick={save}>Save</button>
            <button type="button" class="primary" disabled={busy !== ''} onClick={look}><Icon name="explore" size={16} /> {busy === 'preview' ? 'Playing …' : 'Preview'}</button>
            <button type="button" disabled={busy !== ''} onClick={play}><Icon name="play" size={16} /> Play it</button>
            {changed && <button type="button" class="quiet" onClick={() => { setDraft(''); setError(null) }}>Back to what is saved</button>}</>}
          <span class="dim">{source.files.length > 0 && <>Beside it: {source.files.join(', ')}</>}</span>
        </p>
      </Panel>
      {busy === 'preview' && <Panel title="When nobody does anything"><Waiting rows={4} /></Panel>}
      {preview && busy !== 'preview' && <PreviewPanel preview={preview} />}
    </>
  )
}

export function DrillEditor({ name }: { name: string }) {
  pageTitle.value = `Drill ${name}`
  const data = useData<Source>(`${LIBRARY}/${encodeURIComponent(name)}`, [], 600_000)
  return (
    <Page title={name} lead={<><a href="/drills">Drills</a> · your own, to change. How it is written: <code>docs/drill-language.md</code></>}>
      {data.error?.status === 404
        ? <Trouble error={data.error} what={`There is no own drill ${name}`} />
        : <Shown data={data} what="The drill could not be read">{(source) => <div class="drills"><Editing name={name} source={source} /></div>}</Shown>}
    </Page>
  )
}
