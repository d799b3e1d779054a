// A silence's form: what, how long, why; beside it what that would mute now and would have
// muted in the last week, asked while one types. Nothing is made until it is saved.

import { useEffect, useState } from 'preact/hooks'
import { ApiError, call } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { changed } from '../app/data.ts'
import { act, V1 } from '../app/roster.ts'
import { go } from '../app/router.ts'
import { now } from '../app/settings.ts'
import type { Silence, SilencePreview } from '../app/types.ts'
import { count } from '../lib/number.ts'
import { readWall, wallText } from '../lib/roster.ts'
import { LENGTHS, type Matcher, OPERATORS, type Operator, operatorOf, readLine, WEEKDAYS, withOperator, writeLine } from '../lib/silence.ts'
import { HOUR } from '../lib/time.ts'
import { Field } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { Chips, Page, Panel, Waiting } from '../ui/parts.tsx'
import { stretchWords } from './silences.tsx'

const REST_MS = 300
const here = Intl.DateTimeFormat().resolvedOptions().timeZone
const zones: string[] = (Intl as unknown as { supportedValuesOf?: (key: string) => string[] }).supportedValuesOf?.('timeZone') ?? []

/** The end: so many milliseconds, a moment, when it is resolved, or by hand. */
type End = string // of LENGTHS' words, 'until', 'resolved', 'hand'

interface Draft { matchers: Matcher[]; recurs: boolean; line: string; end: End; until: string; comment: string }

function draftOf(silence: Silence | null, matchers: Matcher[]): Draft {
  const end = !silence ? '2 h' : silence.until_resolved ? 'resolved' : silence.ends_at ? 'until' : 'hand'
  return {
    matchers: matchers.length > 0 ? matchers : [{ name: '', value: '', isRegex: false, isEqual: true }],
    recurs: Boolean(silence?.window_text), line: silence?.window_text ?? `sat,sun 02:00-04:00 ${here}`,
    end, until: wallText(silence?.ends_at ? Date.parse(silence.ends_at) : now.peek() + 2 * HOUR, here), comment: silence?.comment ?? '',
  }
}

const asked = (draft: Draft) => ({ matchers: draft.matchers.filter((one) => one.name.trim()).map((one) => ({ ...one, name: one.name.trim() })), ...(draft.recurs ? { window: draft.line } : {}) })

/** What would be, a moment after the last change; the words of what is wrong in it else. */
function usePreview(draft: Draft) {
  const [preview, setPreview] = useState<SilencePreview | null>(null)
  const [wrong, setWrong] = useState('')
  const body = asked(draft)
  const text = JSON.stringify(body)
  const ready = body.matchers.length > 0
  useEffect(() => {
    if (!ready) { setPreview(null); setWrong(''); return undefined }
    const stop = new AbortController()
    const timer = setTimeout(() => {
      call<SilencePreview>(`${V1}/silences/preview`, { json: body, signal: stop.signal })
        .then((answer) => { setPreview(answer); setWrong('') })
        .catch((error: ApiError) => { if (error.type !== 'cancelled') { setPreview(null); setWrong(error.message) } })
    }, REST_MS)
    return () => { clearTimeout(timer); stop.abort() }
  }, [text])
  return { preview, wrong, ready }
}

function Preview({ draft }: { draft: Draft }) {
  const { preview, wrong, ready } = usePreview(draft)
  const past = preview?.past
  return (
    <Panel title="What it would mute" label="Preview">
      <div class="silence-preview" aria-live="polite">
        {!ready && <p class="dim">Name a label: it shows what fires and is matched.</p>}
        {wrong && <p class="form-wrong">{wrong}</p>}
        {ready && !preview && !wrong && <Waiting rows={2} />}
        {preview?.warning && <p class="warn-ink silence-nothing"><Icon name="alarm" size={16} />Nothing that fires now is matched. Check the labels, unless it is for later.</p>}
        {preview && preview.matches_now > 0 && (
          <>
            <p><b class="figure num">{preview.matches_now}</b> {preview.matches_now === 1 ? 'alert' : 'alerts'} that {preview.matches_now === 1 ? 'fires' : 'fire'} now{!preview.mutes_now && <span class="dim">, though not at this hour</span>}</p>
            <ul class="silence-alerts">{preview.alerts.slice(0, 10).map((one) => (
              <li key={one.fingerprint}><b>{one.name ?? one.fingerprint}</b> <span class="dim">{Object.entries(one.labels).filter(([name]) => name !== 'alertname' && name !== 'severity').map(([name, value]) => `${name}=${value}`).join(' ')}</span>
                {one.incident && <> <a href={`/i/${one.incident}`}>{one.incident}</a></>}{one.silenced && <span class="state idle"><Icon name="mute" size={14} />already muted</span>}</li>
            ))}</ul>
            {preview.matches_now > 10 && <p class="dim">and {preview.matches_now - 10} more</p>}
          </>
        )}
        {preview?.next && <p><b>Comes next</b> {preview.next.length === 0 ? 'never' : preview.next.map(stretchWords).join(', then ')}</p>}
        {past && <p class="dim">In the last 7 days it would have muted <b class="num">{past.notifications}</b> of {count(past.all_notifications, 'notification')} and <b class="num">{past.incidents}</b> of {count(past.all_incidents, 'incident')}{past.is_part && ', of the newest'}.</p>}
      </div>
    </Panel>
  )
}

function Matchers({ matchers, onChange }: { matchers: Matcher[]; onChange: (matchers: Matcher[]) => void }) {
  const set = (i: number, one: Matcher) => onChange(matchers.map((old, at) => (at === i ? one : old)))
  return (
    <fieldset><legend>Alerts with all of these labels</legend>
      {matchers.map((one, i) => (
        <div key={i} class="matcher">
          <input type="text" class="mono" aria-label={`Label ${i + 1}`} placeholder="label" required={i === 0} value={one.name} onInput={(event) => set(i, { ...one, name: event.currentTarget.value })} />
          <select class="mono" aria-label={`How label ${i + 1} is compared`} value={operatorOf(one)} onChange={(event) => set(i, withOperator(one, event.currentTarget.value as Operator))}>{OPERATORS.map((operator) => <option key={operator} value={operator}>{operator}</option>)}</select>
          <input type="text" class="mono" aria-label={`Value of label ${i + 1}`} placeholder={one.isRegex ? 'regular expression' : 'value'} value={one.value} onInput={(event) => set(i, { ...one, value: event.currentTarget.value })} />
          <button type="button" class="quiet" disabled={matchers.length === 1} aria-label={`Without label ${i + 1}`} onClick={() => onChange(matchers.filter((_, at) => at !== i))}><Icon name="cross" size={16} /></button>
        </div>
      ))}
      <button type="button" onClick={() => onChange([...matchers, { name: '', value: '', isRegex: false, isEqual: true }])}>Add a label</button>
    </fieldset>
  )
}

/** Buttons for what most windows are; the line says it all, and more than the buttons can. */
function Window({ line, onChange }: { line: string; onChange: (line: string) => void }) {
  const simple = readLine(line)
  const set = (change: object) => { if (simple) onChange(writeLine({ ...simple, ...change })) }
  return (
    <fieldset><legend>Only at these times, again and again</legend>
      {simple && (
        <div class="window">
          <span class="weekdays" role="group" aria-label="On these days">
            {WEEKDAYS.map((day) => <label key={day} class="day"><input type="checkbox" aria-label={day} checked={simple.weekdays.includes(day)} onChange={(event) => set({ weekdays: event.currentTarget.checked ? [...simple.weekdays, day] : simple.weekdays.filter((one) => one !== day) })} /><span aria-hidden="true">{day.slice(0, 2)}</span></label>)}
          </span>
          <input type="time" aria-label="From" value={simple.from} onInput={(event) => set({ from: event.currentTarget.value })} />
          <span class="dim">to</span>
          <input type="time" aria-label="To, on the next day when it is earlier" value={simple.to} onInput={(event) => set({ to: event.currentTarget.value })} />
          <input type="text" list="zones" aria-label="Time zone" value={simple.zone} onInput={(event) => set({ zone: event.currentTarget.value.trim() })} />
        </div>
      )}
      <Field label="In one line" hint={<>Also <code>days=1:7</code> of the month, <code>months=jan:mar</code>, <code>years=2026</code>, and several with <code>;</code> between.</>}><input type="text" class="mono" required value={line} onInput={(event) => onChange(event.currentTarget.value)} /></Field>
      <datalist id="zones">{zones.map((name) => <option key={name} value={name} />)}</datalist>
    </fieldset>
  )
}

function HowLong({ draft, set }: { draft: Draft; set: (change: Partial<Draft>) => void }) {
  const choices = [...LENGTHS.map(({ words }) => ({ value: words, words })), { value: 'until', words: 'Until …' }, { value: 'resolved', words: 'Until resolved' }, ...(draft.recurs ? [{ value: 'hand', words: 'Until ended by hand' }] : [])]
  return (
    <fieldset><legend>How long</legend>
      <Chips name="How long" value={draft.end} onChoose={(end) => set({ end })} choices={choices} />
      {draft.end === 'until' && <Field label={`Ends, by the clock of ${here}`}><input type="datetime-local" required value={draft.until} onInput={(event) => set({ until: event.currentTarget.value })} /></Field>}
      {draft.end === 'resolved' && <p class="dim form-hint">It ends five minutes after the last that it matches is over, after 30 days at the latest.</p>}
    </fieldset>
  )
}

function endOf(draft: Draft): object | null {
  const length = LENGTHS.find((one) => one.words === draft.end)
  if (length) return { duration_ms: length.ms }
  if (draft.end === 'resolved') return { until_resolved: true }
  if (draft.end === 'hand') return {}
  const atMs = readWall(draft.until, here)
  return atMs === null ? null : { ends_at: new Date(atMs).toISOString() }
}

export function SilenceForm({ silence, matchers }: { silence: Silence | null; matchers: Matcher[] }) {
  pageTitle.value = silence ? 'Edit a silence' : 'New silence'
  const [revision] = useState(silence?.revision) // the one that is edited: `silence` follows what others save
  const [draft, setDraft] = useState(() => draftOf(silence, matchers))
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const set = (change: Partial<Draft>) => setDraft((old) => ({ ...old, ...change }))
  const save = async (event: Event) => {
    event.preventDefault()
    const end = endOf(draft)
    if (!end) { setWrong('Choose when it ends.'); return }
    setBusy(true)
    const json = { ...asked(draft), ...end, comment: draft.comment.trim() }
    const done = await act('', () => (silence ? call(`${V1}/silences/${silence.id}?revision=${revision}`, { method: 'PUT', json }) : call(`${V1}/silences`, { json })), setWrong)
    setBusy(false)
    changed('silences')
    if (done) go('/silences')
  }
  return (
    <Page title={silence ? 'Edit a silence' : 'New silence'} lead={<a href="/silences">Back without saving</a>}>
      <form class="columns" onSubmit={(event) => { void save(event) }}>
        <div class="column-main"><Panel label="Silence"><div class="form pad">
          <Matchers matchers={draft.matchers} onChange={(next) => set({ matchers: next })} />
          <fieldset><legend>When</legend><Chips name="When" value={draft.recurs ? 'recurs' : 'once'} onChoose={(value) => set({ recurs: value === 'recurs', ...(value === 'recurs' ? { end: 'hand' } : draft.end === 'hand' ? { end: '2 h' } : {}) })} choices={[{ value: 'once', words: 'Once, from now on' }, { value: 'recurs', words: 'Recurring' }]} /></fieldset>
          {draft.recurs && <Window line={draft.line} onChange={(line) => set({ line })} />}
          <HowLong draft={draft} set={set} />
          <Field label="Why"><input type="text" required maxLength={2000} placeholder="For whoever finds it later" value={draft.comment} onInput={(event) => set({ comment: event.currentTarget.value })} /></Field>
          {wrong && <p class="form-wrong" role="alert">{wrong}</p>}
          <div class="form-end"><button type="button" onClick={() => go('/silences')}>Cancel</button><button type="submit" class="primary" disabled={busy}>{silence ? 'Save' : 'Silence'}</button></div>
        </div></Panel></div>
        <aside class="column-side" aria-label="What it would mute"><Preview draft={draft} /></aside>
      </form>
    </Page>
  )
}
