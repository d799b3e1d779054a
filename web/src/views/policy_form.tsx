// An escalation policy's form: steps, whom each pages, how long it waits; beside it the ladder as
// it would be. Who saved meanwhile is never overwritten.

import { useState } from 'preact/hooks'
import { call } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { act, V1 } from '../app/roster.ts'
import { go } from '../app/router.ts'
import type { OnCallSchedule, Person, Policy, Schedule } from '../app/types.ts'
import { MINUTE } from '../lib/time.ts'
import type { Target } from '../lib/roster.ts'
import { Field, Sure } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { Ladder } from '../ui/ladder.tsx'
import { Page, Panel } from '../ui/parts.tsx'

export const POLICIES = `${V1}/policies`
const KINDS = { schedule: 'Who is on call in', person: 'Person', receiver: 'Receiver' } as const
type Kind = keyof typeof KINDS

interface Names { schedule: string[]; person: string[]; receiver: string[] }
type Spec = Policy['spec']

const kindOf = (target: Target): Kind => (target.schedule !== undefined ? 'schedule' : target.receiver !== undefined ? 'receiver' : 'person')

function Targets({ targets, names, what, onChange }: { targets: Target[]; names: Names; what: string; onChange: (targets: Target[]) => void }) {
  const set = (i: number, one: Target) => onChange(targets.map((old, at) => (at === i ? one : old)))
  const first = (kind: Kind): Target => ({ [kind]: names[kind][0] ?? '' })
  return (
    <div class="targets">
      {targets.map((one, i) => {
        const kind = kindOf(one)
        const name = one[kind] ?? ''
        const known = names[kind].includes(name) || !name ? names[kind] : [name, ...names[kind]]
        return (
          <div key={i} class="target">
            <select aria-label={`${what}: kind of target ${i + 1}`} value={kind} onChange={(event) => set(i, first(event.currentTarget.value as Kind))}>{Object.entries(KINDS).map(([value, words]) => <option key={value} value={value}>{words}</option>)}</select>
            <select aria-label={`${what}: target ${i + 1}`} required value={name} onChange={(event) => set(i, { [kind]: event.currentTarget.value })}>{!name && <option value="">Choose …</option>}{known.map((value) => <option key={value} value={value}>{value}</option>)}</select>
            <button type="button" class="quiet" aria-label={`${what}: without target ${i + 1}`} onClick={() => onChange(targets.filter((_, at) => at !== i))}><Icon name="cross" size={16} /></button>
          </div>
        )
      })}
      <button type="button" onClick={() => onChange([...targets, names.schedule.length > 0 ? first('schedule') : first('person')])}>Add somebody<span class="hidden"> to {what}</span></button>
    </div>
  )
}

function Minutes({ label, value, onChange, hint, least = 0 }: { label: string; value: number; onChange: (ms: number) => void; hint?: string; least?: number }) {
  return <Field label={label} hint={hint}><input type="number" min={least} max={10080} step="any" required value={Number((value / MINUTE).toFixed(3))} onInput={(event) => onChange(Math.round(Number(event.currentTarget.value) * MINUTE))} /></Field>
}

export function PolicyForm({ policy, people, schedules, current }: { policy: Policy | null; people: Person[]; schedules: Schedule[]; current: OnCallSchedule[] }) {
  pageTitle.value = policy ? `Edit ${policy.name}` : 'New policy'
  const receivers = useData<{ name: string }[]>('/api/v2/receivers').value ?? []
  const names: Names = { schedule: schedules.map((one) => one.name), person: people.map((one) => one.name), receiver: receivers.map((one) => one.name) }
  const [revision] = useState(policy?.revision) // the one that is edited: `policy` follows what others save
  const [spec, setSpec] = useState<Spec>(() => policy?.spec ?? { name: '', repeat: 0, ack_expires_ms: 0, steps: [{ delay_ms: 5 * MINUTE, targets: [names.schedule[0] ? { schedule: names.schedule[0] } : { person: names.person[0] ?? '' }] }], fallback: [] })
  const [wrong, setWrong] = useState('')
  const set = (change: Partial<Spec>) => setSpec({ ...spec, ...change })
  const step = (i: number, change: Partial<Spec['steps'][number]>) => set({ steps: spec.steps.map((one, at) => (at === i ? { ...one, ...change } : one)) })
  const path = policy ? `${POLICIES}/${encodeURIComponent(policy.name)}?revision=${revision}` : POLICIES
  const save = async (event: Event) => {
    event.preventDefault()
    const { title, ...rest } = spec
    const json = title?.trim() ? { ...rest, title: title.trim() } : rest
    if (await act(`${spec.name} is saved`, () => call(path, policy ? { method: 'PUT', json } : { json }), setWrong)) go('/oncall')
  }
  const remove = async () => { if (policy && await act(`${policy.name} is deleted`, () => call(path, { method: 'DELETE' }), setWrong)) go('/oncall') }
  return (
    <Page title={policy ? `Edit ${policy.spec.title ?? policy.name}` : 'New policy'} lead={<a href="/oncall">Back without saving</a>}>
      <form class="columns" onSubmit={(event) => { void save(event) }}>
        <div class="column-main"><Panel label="Policy"><div class="form pad">
          <div class="two">
            <Field label="Name" hint={policy ? 'It stays: receivers of the config file refer to it.' : 'A receiver of the config file names it: oncall_configs: [{policy: …}]'}><input type="text" required disabled={policy !== null} maxLength={100} value={spec.name} onInput={(event) => set({ name: event.currentTarget.value })} /></Field>
            <Field label="Title (optional)"><input type="text" maxLength={200} value={spec.title ?? ''} onInput={(event) => set({ title: event.currentTarget.value })} /></Field>
          </div>
          {spec.steps.map((one, i) => (
            <section key={i} class="layer" aria-label={`Step ${i + 1}`}>
              <div class="between"><h3>Step {i + 1}</h3>
                <span><button type="button" class="quiet" disabled={i === 0} aria-label={`Step ${i + 1} earlier`} onClick={() => { const steps = [...spec.steps]; steps.splice(i - 1, 2, one, spec.steps[i - 1]!); set({ steps }) }}><Icon name="up" size={16} /></button>
                  <button type="button" class="quiet" disabled={spec.steps.length === 1} aria-label={`Without step ${i + 1}`} onClick={() => set({ steps: spec.steps.filter((_, at) => at !== i) })}><Icon name="cross" size={16} /></button></span></div>
              <Targets targets={one.targets} names={names} what={`step ${i + 1}`} onChange={(targets) => step(i, { targets })} />
              <Minutes label="Then wait, in minutes" value={one.delay_ms} onChange={(delay_ms) => step(i, { delay_ms })} />
            </section>
          ))}
          <div><button type="button" onClick={() => set({ steps: [...spec.steps, { delay_ms: 10 * MINUTE, targets: [] }] })}>Add a step</button></div>
          <div class="two">
            <Field label="Begin again, times"><input type="number" min={0} max={20} required value={spec.repeat} onInput={(event) => set({ repeat: Number(event.currentTarget.value) })} /></Field>
            <Minutes label="An acknowledgement holds, in minutes" hint="0: to the end" value={spec.ack_expires_ms} onChange={(ack_expires_ms) => set({ ack_expires_ms })} />
          </div>
          <fieldset><legend>When all that was in vain, once more</legend><Targets targets={spec.fallback} names={names} what="the last resort" onChange={(fallback) => set({ fallback })} /></fieldset>
          {wrong && <p class="form-wrong" role="alert">{wrong}</p>}
          <div class="form-end">{policy && <Sure words="Delete policy" sure="Really delete it" onSure={() => { void remove() }} />}<button type="button" onClick={() => go('/oncall')}>Cancel</button><button type="submit" class="primary">Save</button></div>
        </div></Panel></div>
        <aside class="column-side" aria-label="Preview"><Panel title="If nobody reacts" label="Ladder"><div class="pad"><Ladder spec={spec} current={current} /></div></Panel></aside>
      </form>
    </Page>
  )
}
