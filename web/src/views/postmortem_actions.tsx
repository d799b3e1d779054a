// What was promised: a row each, with who, until when, and how one will know.

import { useState } from 'preact/hooks'
import { ApiError, call } from '../app/api.ts'
import type { Postmortem, PostmortemAction } from '../app/types.ts'
import { Dialog, Field } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { Panel, State } from '../ui/parts.tsx'

const TYPES = ['prevent', 'detect', 'mitigate', 'process', 'repair', 'investigate']
const TAGS = ['', 'monitoring', 'alerting', 'oncall', 'process', 'capacity', 'failover', 'slo', 'code', 'config', 'dependency']
const STATES = [['open', 'Open'], ['doing', 'In hand'], ['done', 'Done'], ['wont_do', 'Will not be done']] as const

const NEW: Partial<PostmortemAction> = { text: '', type: 'prevent', tag: '', owner: '', due_at: null, state: 'open', done_when: '', proof_url: '', reason: '', rule_draft: '' }

function Form({ path, action, onClose, onSaved }: { path: string; action: Partial<PostmortemAction>; onClose: () => void; onSaved: (doc: Postmortem) => void }) {
  const [now, setNow] = useState(action)
  const [error, setError] = useState('')
  const set = (name: keyof PostmortemAction) => (event: { currentTarget: { value: string } }) => setNow({ ...now, [name]: event.currentTarget.value })
  const save = async (event: Event) => {
    event.preventDefault()
    const { text, type, tag, owner, state, done_when, proof_url, reason, rule_draft } = now
    const json = { text, type, tag, owner, state, done_when, proof_url, reason, rule_draft, due_at: now.due_at ? `${now.due_at.slice(0, 10)}T12:00:00Z` : null }
    try {
      onSaved(action.id
        ? await call<Postmortem>(`/api/alertd/v1/postmortem-actions/${action.id}`, { method: 'PUT', json: { ...json, revision: action.revision } })
        : await call<Postmortem>(`${path}/actions`, { json }))
      onClose()
    } catch (reason) {
      setError(reason instanceof ApiError ? reason.message : String(reason))
    }
  }
  return (
    <Dialog title={action.id ? 'Change an action' : 'Promise something'} onClose={onClose}>
      <form class="fields" onSubmit={(event) => { void save(event) }}>
        <Field label="What will be done"><textarea rows={2} required value={now.text} onInput={set('text')} /></Field>
        <div class="row">
          <Field label="So that it is"><select value={now.type} onChange={set('type')}>{TYPES.map((one) => <option key={one} value={one}>{one}</option>)}</select></Field>
          <Field label="About"><select value={now.tag} onChange={set('tag')}>{TAGS.map((one) => <option key={one} value={one}>{one || 'nothing special'}</option>)}</select></Field>
        </div>
        <div class="row">
          <Field label="Owner"><input value={now.owner} onInput={set('owner')} /></Field>
          <Field label="Until"><input type="date" value={now.due_at?.slice(0, 10) ?? ''} onInput={set('due_at')} /></Field>
        </div>
        <Field label="Done when" hint="What one will see that says it is done"><input value={now.done_when} onInput={set('done_when')} /></Field>
        <div class="row">
          <Field label="State"><select value={now.state} onChange={set('state')}>{STATES.map(([value, words]) => <option key={value} value={value}>{words}</option>)}</select></Field>
          <Field label="Proof (address)"><input type="url" value={now.proof_url} onInput={set('proof_url')} /></Field>
        </div>
        {now.state === 'wont_do' && <Field label="Why it will not be done"><input required value={now.reason} onInput={set('reason')} /></Field>}
        <Field label="A rule that it promises (optional)" hint="One alerting rule. It is done when the rule is live, and fires earlier over this incident's frozen samples."><textarea class="mono" rows={4} value={now.rule_draft} onInput={set('rule_draft')} /></Field>
        {error && <p class="bad-ink" role="alert">{error}</p>}
        <p class="foot"><button type="button" onClick={onClose}>Cancel</button><button type="submit" class="primary">Save</button></p>
      </form>
    </Dialog>
  )
}

export function Actions({ doc, path, canWrite, onSaved }: { doc: Postmortem; path: string; canWrite: boolean; onSaved: (doc: Postmortem) => void }) {
  const [open, setOpen] = useState<Partial<PostmortemAction> | null>(null)
  return (
    <Panel title="What was promised" aside={canWrite && <button type="button" onClick={() => setOpen(NEW)}><Icon name="note" size={16} /> Add</button>}>
      {doc.actions.length === 0 ? <p class="dim pad">Nothing yet. An action has an owner, a date, and something that says it is done.</p> : (
        <ul class="rows tall">{doc.actions.map((action) => (
          <li key={action.id}>
            <span class="grow"><b>{action.text}</b><span class="dim">{action.type}{action.tag && `, ${action.tag}`} · {action.owner || <span class="warn-ink">nobody yet</span>} · {action.due_at ? action.due_at.slice(0, 10) : <span class="warn-ink">no date</span>}{action.done_when && ` · done when ${action.done_when}`}</span></span>
            {action.overdue && <span class="bad-ink">Overdue</span>}<State state={action.state} />
            {canWrite && <button type="button" class="quiet" onClick={() => setOpen(action)}>Change<span class="hidden"> {action.text}</span></button>}
          </li>
        ))}</ul>
      )}
      {open && <Form path={path} action={open} onClose={() => setOpen(null)} onSaved={onSaved} />}
    </Panel>
  )
}
