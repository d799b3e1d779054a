// What postmortems go by, and a team can change: words worth a second look, and which template an
// incident asks for. Each save is kept, with who and when; what ships can be had back.

import { useState } from 'preact/hooks'
import { ApiError, call, may } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { changed, useData } from '../app/data.ts'
import { say } from '../app/toast.ts'
import type { DiffLine } from '../app/types.ts'
import { diffLines } from '../lib/diff.ts'
import { type ChoiceRow, type HintRow, choiceLine, conditions, hintLine, moved, wrongRow } from '../lib/own_table.ts'
import { Dialog, Field, Sure } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { Page, Panel, Shown } from '../ui/parts.tsx'
import { adopt } from '../ui/sheet.ts'
import { Ago } from '../ui/time.tsx'
import record from '../style/record.later.css'
import { Lines } from './postmortem_diff.tsx'

adopt(record)

const PATH = '/api/alertd/v1/postmortem-tables'

interface Table<Row> { name: string; ships: boolean; revision: number; saved_by: string | null; saved_at: string | null; rows: Row[] }
interface Save { revision: number; ships: boolean; saved_by: string; saved_at: string }
interface EditProps<Row> { row: Row; number: number; onChange: (row: Row) => void }

function HintFields({ row, number, onChange }: EditProps<HintRow>) {
  const field = (name: keyof HintRow, words: string) => <input aria-label={`${words} of row ${number}`} placeholder={words.toLowerCase()} title={row[name]} value={row[name]} onInput={(event) => onChange({ ...row, [name]: event.currentTarget.value })} />
  return <div class="hint-row">{field('phrase', 'Phrase')}{field('kind', 'Kind')}{field('advice', 'Advice')}</div>
}

const FLAGS = [['data_lost', 'data was lost'], ['repeats', 'it happened before'], ['paged', 'somebody was paged']] as const

function ChoiceFields({ row, number, onChange }: EditProps<ChoiceRow>) {
  const templates = useData<{ templates: { id: string; title: string }[] }>('/api/alertd/v1/postmortems/templates').value?.templates ?? []
  const set = (change: Partial<ChoiceRow>) => onChange({ ...row, ...change })
  const whole = (text: string) => Math.max(0, Math.floor(Number(text) || 0))
  return (
    <details class="choice-row" open={row.template === ''}>
      <summary><b>{number}.</b> When {conditions(row)}: <b>{row.template || 'a template'}</b>, due in {row.due_days} d</summary>
      <div class="choice-fields">
        <Field label="Template"><select value={row.template} onChange={(event) => set({ template: event.currentTarget.value })}>
          {!templates.some((one) => one.id === row.template) && <option value={row.template}>{row.template || 'choose one'}</option>}
          {templates.filter((one) => one.id !== 'public').map((one) => <option key={one.id} value={one.id}>{one.id}</option>)}</select></Field>
        <Field label="Due in days"><input inputMode="numeric" value={row.due_days} onInput={(event) => set({ due_days: whole(event.currentTarget.value) })} /></Field>
        <Field label="Why, in words"><input value={row.why} onInput={(event) => set({ why: event.currentTarget.value })} /></Field>
        <Field label="Severities"><input value={row.severities ?? ''} placeholder="sev1 p1" onInput={(event) => set({ severities: event.currentTarget.value })} /></Field>
        <Field label="Where it comes from"><select value={row.origin ?? ''} onChange={(event) => set({ origin: event.currentTarget.value })}>
          <option value="">wherever</option><option value="real">it happened</option><option value="near_miss">near miss</option><option value="import">brought</option><option value="drill">drill</option></select></Field>
        <Field label="More scopes than"><input inputMode="numeric" value={row.scopes_over || ''} placeholder="any" onInput={(event) => set({ scopes_over: whole(event.currentTarget.value) })} /></Field>
        <Field label="Longer than, min"><input inputMode="numeric" value={row.longer_than_min || ''} placeholder="any" onInput={(event) => set({ longer_than_min: whole(event.currentTarget.value) })} /></Field>
        <div class="checks">{FLAGS.map(([name, words]) => <label key={name}><input type="checkbox" checked={row[name] ?? false} onChange={(event) => set({ [name]: event.currentTarget.checked })} /> {words}</label>)}</div>
      </div>
    </details>
  )
}

/** What is kept of a row: an empty condition asks nothing. */
function cleaned<Row extends object>(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([name, value]) => name === 'due_days' || (value !== '' && value !== 0 && value !== false))) as Row
}

interface Kind<Row> { name: string; title: string; words: string; none: Row; add: string; line: (row: Row) => string; Fields: (props: EditProps<Row>) => preact.JSX.Element; inOrder: boolean }

const HINTS: Kind<HintRow> = { name: 'hints', title: 'Words worth a second look', words: 'Where one of these stands in what people write, its advice stands beside it. It blocks nothing.', none: { phrase: '', kind: '', advice: '' }, add: 'Add a phrase', line: hintLine, Fields: HintFields, inOrder: false }
const CHOICES: Kind<ChoiceRow> = { name: 'choices', title: 'Which template an incident asks for', words: 'The first row that holds. Whoever writes can choose another.', none: { template: '', due_days: 5, why: '' }, add: 'Add a row', line: choiceLine, Fields: ChoiceFields, inOrder: true }

function Saves<Row>({ kind, onClose }: { kind: Kind<Row>; onClose: () => void }) {
  const saves = useData<{ revisions: Save[] }>(`${PATH}/${kind.name}/revisions`, ['postmortem'])
  const [lines, setLines] = useState<DiffLine[] | null>(null)
  // Revision 0 is what ships; the answer of a revision that gave the table back says the same.
  const text = async (revision: number) => revision === 0 ? null : (await call<Table<Row>>(`${PATH}/${kind.name}?revision=${revision}`)).rows.map(kind.line).join('\n')
  const show = async (revision: number) => {
    try {
      const [before, after] = await Promise.all([text(revision - 1), text(revision)])
      setLines(before === null ? (after ?? '').split('\n').map((line) => ({ kind: 'added', text: line })) : diffLines(before, after ?? ''))
    } catch (error) {
      say(error instanceof ApiError ? error.message : String(error), 'bad')
    }
  }
  return (
    <Dialog title={`Who changed it: ${kind.title.toLowerCase()}`} onClose={onClose}>
      <Shown data={saves} what="Its saves could not be read">{({ revisions }) => revisions.length === 0 ? <p class="dim">Nobody did: it is as it ships.</p> : (
        <ul class="rows">{revisions.map((one) => (
          <li key={one.revision}><span class="num">{one.revision}</span><span class="grow">{one.saved_by} <span class="dim"><Ago at={one.saved_at} />{one.ships && ', back to what ships'}</span></span>
            <button type="button" onClick={() => { void show(one.revision) }}>{one.revision === 1 ? 'What it said' : 'What it changed'}</button></li>
        ))}</ul>
      )}</Shown>
      {lines && <Lines lines={lines} />}
    </Dialog>
  )
}

function OwnTable<Row extends object>({ kind }: { kind: Kind<Row> }) {
  const data = useData<Table<Row>>(`${PATH}/${kind.name}`, ['postmortem'])
  const [mine, setMine] = useState<{ rows: Row[]; revision: number } | null>(null)
  const [wrong, setWrong] = useState<{ row: number; words: string } | null>(null)
  const [asks, setAsks] = useState(false)
  const table = data.value
  const rows = mine?.rows ?? table?.rows ?? []
  const edit = (next: Row[]) => { setMine({ rows: next, revision: mine?.revision ?? table?.revision ?? 0 }); setWrong(null) }
  const save = async (sent: Row[] | null) => {
    try {
      await call(`${PATH}/${kind.name}`, { method: 'PUT', json: { rows: sent, revision: mine?.revision ?? table?.revision ?? 0 } })
      setMine(null)
      setWrong(null)
      changed('postmortem')
      say('Saved', 'ok')
    } catch (error) {
      setWrong(wrongRow(error instanceof ApiError ? error.message : String(error)))
      if (error instanceof ApiError && error.status === 409) {
        changed('postmortem')
        setAsks(true)
      }
    }
  }
  const canWrite = may('operate')
  return (
    <Panel title={kind.title} aside={table && <span class="dim">{table.ships ? 'as it ships' : <>revision {table.revision}, {table.saved_by} <Ago at={table.saved_at} /></>}</span>}>
      <p class="dim pad">{kind.words}</p>
      <Shown data={data} what="The table could not be read">{() => (
        <>
          {canWrite
            ? <ol class="own-rows" aria-label={kind.title}>{rows.map((row, i) => (
              <li key={i} class={wrong?.row === i ? 'wrong' : undefined}>
                <kind.Fields row={row} number={i + 1} onChange={(next) => edit(rows.map((one, k) => k === i ? next : one))} />
                {kind.inOrder && <button type="button" class="quiet" disabled={i === 0} aria-label={`Row ${i + 1} before the one above it`} onClick={() => edit(moved(rows, i, i - 1))}>↑</button>}
                <button type="button" class="quiet" aria-label={`Take row ${i + 1} away`} onClick={() => edit(rows.filter((_, k) => k !== i))}><Icon name="cross" size={14} /></button>
              </li>
            ))}</ol>
            : <ol class="plain">{rows.map((row, i) => <li key={i}>{kind.line(row)}</li>)}</ol>}
          {wrong && <p class="bad-ink pad" role="alert">{wrong.words}{mine && table && mine.revision !== table.revision && <> <button type="button" onClick={() => { setMine(null); setWrong(null) }}>Take theirs</button> <button type="button" onClick={() => { setMine({ rows, revision: table.revision }); setWrong(null) }}>Go on with mine</button></>}</p>}
          <div class="pad row-buttons">
            {canWrite && <button type="button" onClick={() => edit([...rows, kind.none])}>{kind.add}</button>}
            {mine && <><button type="button" class="primary" onClick={() => { void save(rows.map(cleaned)) }}>Save</button><button type="button" onClick={() => { setMine(null); setWrong(null) }}>Undo</button></>}
            {canWrite && table && !table.ships && !mine && <Sure words="Back to what ships" sure="Yours is kept among its saves: give it back" onSure={() => { void save(null) }} />}
            <button type="button" class="quiet" onClick={() => setAsks(true)}>Who changed it</button>
          </div>
        </>
      )}</Shown>
      {asks && <Saves kind={kind} onClose={() => setAsks(false)} />}
    </Panel>
  )
}

export function PostmortemTables() {
  pageTitle.value = 'What postmortems go by'
  return (
    <Page title="What postmortems go by" lead={<><a href="/pm">Postmortems</a> come with these tables; a team can have its own.</>}>
      <div class="stack"><OwnTable kind={HINTS} /><OwnTable kind={CHOICES} /></div>
    </Page>
  )
}
