// The box that is always ready: what is typed is never lost, and what it will be is said before.

import { useEffect, useImperativeHandle, useRef, useState } from 'preact/hooks'
import type { Ref } from 'preact'
import { addNote } from '../app/actions.ts'
import { ApiError } from '../app/api.ts'
import { addRow } from '../app/record.ts'
import { now, zone } from '../app/settings.ts'
import { say } from '../app/toast.ts'
import { KINDS, parseTyped } from '../lib/record.ts'
import { formatClock, formatExact, parseNote } from '../lib/time.ts'

export interface NoteHandle { focus: () => void; at: (atMs: number) => void }

export function NoteBox({ incidentKey, note }: { incidentKey: string; note: Ref<NoteHandle> }) {
  const kept = `note ${incidentKey}`
  const [text, setText] = useState(() => sessionStorage.getItem(kept) ?? '')
  const [kind, setKind] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const box = useRef<HTMLTextAreaElement>(null)
  const typed = parseTyped(text, kind, now.value, zone.value)

  // At once, not after the next paint: a reload may come before it.
  const write = (next: string) => {
    if (next) sessionStorage.setItem(kept, next)
    else sessionStorage.removeItem(kept)
    setText(next)
  }

  useEffect(() => {
    const area = box.current
    if (area) {
      area.style.height = 'auto'
      area.style.height = `${area.scrollHeight + 2}px`
    }
  }, [text])
  useImperativeHandle(note, () => ({
    focus: () => box.current?.focus(),
    at: (atMs) => {
      if (now.peek() - atMs > 23 * 3_600_000) {
        say(`The note box takes times of the last 24 hours; this is ${formatExact(atMs, zone.peek())}`)
        return
      }
      write(`${formatClock(atMs, zone.peek())} ${parseNote(text, now.peek(), zone.peek()).text}`)
      box.current?.focus()
    },
  }), [text])

  const send = async () => {
    if (!typed.text || busy) return
    setBusy(true)
    const t = typed.atMs === null ? null : new Date(typed.atMs).toISOString()
    try {
      if (typed.kind === 'human.note' && !typed.approx) await addNote(incidentKey, typed.text, t)
      else await addRow(incidentKey, { kind: typed.kind, text: typed.text, ...(t ? { t, precision: typed.approx ? 'approx' : 'min' } : {}) })
      write('')
      setKind('')
      setProblem('')
    } catch (error) {
      setProblem(`Not saved: ${error instanceof ApiError ? error.message : String(error)}. It stays here until it is.`)
    }
    setBusy(false)
  }

  return (
    <form class="note" onSubmit={(event) => { event.preventDefault(); void send() }}>
      <label class="hidden" for="note-kind">What it is</label>
      <select id="note-kind" value={typed.kind} onChange={(event) => { setKind(event.currentTarget.value); box.current?.focus() }}>
        {KINDS.map((one) => <option key={one.kind} value={one.kind}>{one.words}</option>)}
      </select>
      <label class="hidden" for="note">Note for the timeline</label>
      <textarea id="note" ref={box} rows={1} value={text} placeholder="What did you see, think or do?"
                onInput={(event) => write(event.currentTarget.value)}
                onKeyDown={(event) => { if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); void send() } }} />
      <button type="submit" class={typed.text ? 'primary' : ''} disabled={busy || !typed.text}>{busy ? 'Saving …' : 'Add'}</button>
      <p class="note-hint dim">{problem
        ? <span class="bad-ink" role="alert">{problem}</span>
        : typed.atMs !== null && typed.text
          ? <>{typed.words} will be filed at <b>{typed.approx && '≈ '}{formatExact(typed.atMs, zone.value)}</b></>
          : <>Enter adds it. Begin with <code>h:</code> hypothesis, <code>o:</code> seen, <code>a:</code> done, <code>d:</code> decided, <code>$</code> command; <code>@14:05</code> or <code>@-5m</code> for earlier</>}</p>
    </form>
  )
}
