// An own drill as text: checked with the parser that plays it, errors at their place, and a preview
// of what comes when nobody does anything.

import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, call, may } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { LIBRARY, newSession, playPath } from '../app/drill.ts'
import type { Moment } from '../app/drill_types.ts'
import { useKey } from '../app/keyboard.ts'
import { go, query } from '../app/router.ts'
import { say } from '../app/toast.ts'
import { formatClockTime, momentWords, placeIn } from '../lib/drill.ts'
import { count } from '../lib/number.ts'
import { Icon } from '../ui/icon.tsx'
import { Chips, Page, Panel, Shown, Trouble, Waiting } from '../ui/parts.tsx'
import { useDraft } from './drill_parts.tsx'

interface File { name: string; bytes: number; text?: string }
interface Source { text: string; files: File[] }
interface Finding { line: number; column: number; severity: 'error' | 'warning'; text: string }
interface Preview { moments: (Moment & { text?: string })[]; n_moments: number; failures: string[]; checks: number; findings: Finding[]; not_played?: string }

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

/** What comes when nobody acts; what the file's own scripts expect and does not come. */
function PreviewPanel({ preview, onGo }: { preview: Preview; onGo: (line: number, column: number) => void }) {
  const { failures, findings, checks } = preview
  return (
    <>
      <Panel title="What it says of itself" aside={checks === 0 && failures.length === 0 ? <span class="dim">it has no scripts yet</span> : failures.length === 0 ? <span class="state ok"><Icon name="check" size={14} />{count(checks, 'expectation')} met</span> : <span class="state bad"><Icon name="cross" size={14} />{count(failures.length, 'expectation')} of {checks} not met</span>}>
        {failures.length + findings.length === 0
          ? <p class="dim pad">{preview.not_played ?? 'Nothing to complain about.'}</p>
          : <ol class="drill-log drill-checks">
              {failures.map((one) => <li key={one}><time>script</time><span class="bad-ink">{one}</span></li>)}
              {findings.map((one, i) => <li key={i}><time><button type="button" class="quiet drill-line-link" onClick={() => onGo(one.line, one.column)}>{one.line}:{one.column}</button></time><span class={one.severity === 'error' ? 'bad-ink' : 'warn-ink'}>{one.text}</span></li>)}
            </ol>}
      </Panel>
      <Panel title="When nobody does anything" aside={<span class="dim">{count(preview.n_moments, 'moment')}</span>}>
        <ol class="drill-log">{preview.moments.map((one, i) => { const words = momentWords(one, 'the player'); return <li key={i}><time>{formatClockTime(one.at_ms)}</time><span class={words.tone === 'bad' ? 'bad-ink' : ''}>{words.text} <small class="dim">{words.who}</small></span></li> })}</ol>
      </Panel>
    </>
  )
}

const DRILL = 'drill.drill'

/** Every text of the drill, as it is stored and as it is typed. */
function useTexts(name: string, source: Source) {
  const [stored, setStored] = useState(() => Object.fromEntries([[DRILL, source.text], ...source.files.filter((one) => one.text !== undefined).map((one) => [one.name, one.text ?? ''])]) as Record<string, string>)
  const [draft, setDraft] = useDraft(`library ${name}`)
  const typed = draft ? (JSON.parse(draft) as Record<string, string>) : {}
  const changes = Object.fromEntries(Object.entries(typed).filter(([file, text]) => stored[file] !== undefined && stored[file] !== text))
  const { [DRILL]: text, ...files } = changes
  return {
    names: Object.keys(stored), of: (file: string) => typed[file] ?? stored[file] ?? '', changed: Object.keys(changes).length > 0,
    body: { ...(text === undefined ? {} : { text }), ...(Object.keys(files).length > 0 ? { files } : {}) },
    type: (file: string, next: string) => setDraft(JSON.stringify({ ...typed, [file]: next })),
    back: () => setDraft(''), saved: () => { setStored({ ...stored, ...changes }); setDraft('') },
  }
}

function Editing({ name, source }: { name: string; source: Source }) {
  const texts = useTexts(name, source)
  const [file, setFile] = useState(DRILL)
  const [error, setError] = useState<ApiError | null>(null)
  const [preview, setPreview] = useState<Preview | null>(null)
  const [busy, setBusy] = useState('')
  const [rulesNow, setRulesNow] = useState(false)
  const mayWrite = may('operate')
  const area = useRef<HTMLTextAreaElement>(null)
  const lines = useRef<HTMLPreElement>(null)
  const text = texts.of(file)
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
    if (!texts.changed) return
    await call(path, { method: 'PUT', json: texts.body })
    texts.saved()
  }
  const save = () => { void attempt('save', async () => { await put(); say('Saved', 'ok') }) }
  const look = () => { void attempt('preview', async () => { setPreview(await call<Preview>(`${path}/preview${rulesNow ? '?rules=now' : ''}`, { json: texts.body, limitMs: 60_000 })) }) }
  const play = () => { void attempt('play', async () => { await put(); const id = await newSession({ drill: name, mode: 'solo', ...(rulesNow ? { rules: 'now' } : {}) }); if (id !== null) go(playPath(id)) }) }
  const goTo = (line: number, column: number) => {
    setFile(DRILL)
    const at = texts.of(DRILL).split('\n').slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + Math.max(0, column - 1)
    requestAnimationFrame(() => {
      area.current?.focus()
      area.current?.setSelectionRange(at, at + 1)
      if (area.current) area.current.scrollTop = Math.max(0, (line - 8) * 20)
    })
  }
  useKey('v', 'Preview', look, 'This drill')
  useEffect(() => { if (query('preview') === '1' && mayWrite) look() }, []) // it was just made
  const others = source.files.filter((one) => one.text === undefined)
  return (
    <>
      {error && <Problem error={error} text={texts.of(DRILL)} onGo={goTo} />}
      <Panel label="The drill" title={texts.names.length > 1 ? <Chips name="File" value={file} choices={texts.names.map((one) => ({ value: one, words: one }))} onChoose={setFile} /> : 'The drill'}
             aside={<span class={`saving ${texts.changed ? 'dirty' : ''}`} role="status">{texts.changed ? 'Not saved; kept in this browser' : 'Saved'}</span>}>
        <div class="drill-editor">
          <pre ref={lines} aria-hidden="true">{text.split('\n').map((_, i) => i + 1).join('\n')}</pre>
          <textarea ref={area} class="mono" aria-label={`Text of ${file}`} spellcheck={false} wrap="off" value={text} readOnly={!mayWrite}
                    onInput={(event) => texts.type(file, event.currentTarget.value)} onScroll={(event) => { if (lines.current) lines.current.scrollTop = event.currentTarget.scrollTop }} />
        </div>
        <p class="foot drill-buttons">
          {mayWrite && <><button type="button" disabled={!texts.changed || busy !== ''} onClick={save}>Save</button>
            <button type="button" class="primary" disabled={busy !== ''} onClick={look}><Icon name="explore" size={16} /> {busy === 'preview' ? 'Playing …' : 'Preview'}</button>
            <button type="button" disabled={busy !== ''} onClick={play}><Icon name="play" size={16} /> Play it</button>
            {texts.changed && <button type="button" class="quiet" onClick={() => { texts.back(); setError(null) }}>Back to what is saved</button>}</>}
          {mayWrite && texts.names.some((one) => one.endsWith('.yml')) && <label class="drill-check" title="Would a rule that was changed since have helped?"><input type="checkbox" checked={rulesNow} onChange={(event) => setRulesNow(event.currentTarget.checked)} /> with the rules as they are now</label>}
          {others.length > 0 && <span class="dim">Beside it: {others.map((one) => one.name).join(', ')}</span>}
        </p>
      </Panel>
      {busy === 'preview' && <Panel title="When nobody does anything"><Waiting rows={4} /></Panel>}
      {preview && busy !== 'preview' && <PreviewPanel preview={preview} onGo={goTo} />}
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
