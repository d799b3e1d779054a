// What changed: lines of a difference, and the revisions of a section to choose from.

import { useState } from 'preact/hooks'
import { ApiError, call } from '../app/api.ts'
import { say } from '../app/toast.ts'
import type { DiffLine } from '../app/types.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Ago } from '../ui/time.tsx'

const SIGN = { same: ' ', added: '+', removed: '−' }
const WORD = { same: '', added: 'added: ', removed: 'removed: ' }

export function Lines({ lines }: { lines: DiffLine[] }) {
  if (lines.every((line) => line.kind === 'same')) return <p class="dim">Nothing differs.</p>
  return <pre class="code diff" tabIndex={0} aria-label="What differs">{lines.map((line, i) => <div key={i} class={line.kind}><span aria-hidden="true">{SIGN[line.kind]} </span><span class="hidden">{WORD[line.kind]}</span>{line.text}</div>)}</pre>
}

interface Revision { revision: number; author: string; at: string; note: string }

export function Revisions({ path, revision }: { path: string; revision: number }) {
  const [rows, setRows] = useState<Revision[] | null>(null)
  const [lines, setLines] = useState<DiffLine[] | null>(null)
  const ask = async <T,>(what: string): Promise<T | null> => {
    try {
      return await call<T>(what)
    } catch (error) {
      say(error instanceof ApiError ? error.message : String(error), 'bad')
      return null
    }
  }
  const open = async () => { setRows((await ask<{ revisions: Revision[] }>(`${path}/revisions`))?.revisions ?? null) }
  const show = async (from: number, to: number) => { setLines((await ask<{ diff: DiffLine[] }>(`${path}/diff?from=${from}&to=${to}`))?.diff ?? null) }
  return (
    <>
      <button type="button" class="quiet" onClick={() => { void open() }}>Revision {revision}</button>
      {rows && (
        <Dialog title="Every save of this section" onClose={() => { setRows(null); setLines(null) }}>
          <ul class="rows">{rows.map((one) => (
            <li key={one.revision}><span class="num">{one.revision}</span><span class="grow">{one.author} <span class="dim"><Ago at={one.at} />{one.note && `, ${one.note}`}</span></span>
              <button type="button" onClick={() => { void show(one.revision - 1, one.revision) }}>What it changed</button></li>
          ))}</ul>
          {lines && <Lines lines={lines} />}
        </Dialog>
      )}
    </>
  )
}
