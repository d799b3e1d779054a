// A service's card, filled in. Somebody else's save meanwhile is shown with what differs, and one
// chooses: nothing is overwritten unseen.

import { useState } from 'preact/hooks'
import { ApiError, call } from '../app/api.ts'
import { changed } from '../app/data.ts'
import { say } from '../app/toast.ts'
import type { Service, ServiceLink } from '../app/types.ts'
import { diffLines } from '../lib/diff.ts'
import { type ServiceForm as Form, type SloForm, formOf, specOf } from '../lib/service.ts'
import { Field } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { Lines } from './postmortem_diff.tsx'

export const SERVICES = '/api/alertd/v1/services'
const NO_SLO: SloForm = { name: '', percent: '99.9', window: '30d', good: '', total: '' }

function Links({ name, links, onChange }: { name: string; links: ServiceLink[]; onChange: (links: ServiceLink[]) => void }) {
  const set = (i: number, change: Partial<ServiceLink>) => onChange(links.map((link, k) => (k === i ? { ...link, ...change } : link)))
  return (
    <fieldset class="link-rows"><legend>{name}s</legend>
      {links.map((link, i) => (
        <div key={i} class="link-row">
          <input aria-label={`${name} ${i + 1}: title`} placeholder="title" value={link.title ?? ''} onInput={(event) => set(i, { title: event.currentTarget.value })} />
          <input aria-label={`${name} ${i + 1}: address`} placeholder="https://" value={link.url} onInput={(event) => set(i, { url: event.currentTarget.value })} />
          <button type="button" class="quiet" aria-label={`Take ${name.toLowerCase()} ${i + 1} away`} onClick={() => onChange(links.filter((_, k) => k !== i))}><Icon name="cross" size={14} /></button>
        </div>
      ))}
      <button type="button" class="quiet" onClick={() => onChange([...links, { title: '', url: '' }])}>Add a {name.toLowerCase()}</button>
    </fieldset>
  )
}

function Objectives({ slos, onChange }: { slos: SloForm[]; onChange: (slos: SloForm[]) => void }) {
  const set = (i: number, name: keyof SloForm) => (event: { currentTarget: { value: string } }) => onChange(slos.map((slo, k) => (k === i ? { ...slo, [name]: event.currentTarget.value } : slo)))
  return (
    <fieldset class="link-rows"><legend>Objectives</legend>
      {slos.map((slo, i) => (
        <div key={i} class="slo-row">
          <div class="three">
            <Field label="Name"><input value={slo.name} placeholder="availability" onInput={set(i, 'name')} /></Field>
            <Field label="Share, %"><input inputMode="decimal" value={slo.percent} onInput={set(i, 'percent')} /></Field>
            <Field label="Of how long"><input value={slo.window} placeholder="30d" onInput={set(i, 'window')} /></Field>
          </div>
          <Field label="Good (PromQL, with $window)"><input class="mono" value={slo.good} placeholder={'sum(rate(http_requests_total{code!~"5.."}[$window]))'} onInput={set(i, 'good')} /></Field>
          <Field label="Of all"><input class="mono" value={slo.total} placeholder="sum(rate(http_requests_total[$window]))" onInput={set(i, 'total')} /></Field>
          <p><button type="button" class="quiet" onClick={() => onChange(slos.filter((_, k) => k !== i))}>Take objective {i + 1} away</button></p>
        </div>
      ))}
      <button type="button" class="quiet" onClick={() => onChange([...slos, NO_SLO])}>Add an objective</button>
    </fieldset>
  )
}

function Conflict({ theirs, mine, onMine, onTheirs }: { theirs: Service; mine: object; onMine: () => void; onTheirs: () => void }) {
  const text = (spec: object) => JSON.stringify(spec, null, 2)
  return (
    <div class="trouble conflict" role="alert"><Icon name="alarm" />
      <div class="grow"><p><b>{theirs.updated_by} saved this card while you wrote.</b> What yours would change of theirs:</p><Lines lines={diffLines(text(theirs.spec), text(mine))} /></div>
      <button type="button" onClick={onTheirs}>Take theirs</button><button type="button" class="primary" onClick={onMine}>Keep mine</button></div>
  )
}

export function ServiceForm({ name, service, done }: { name: string; service: Service | null; done: () => void }) {
  // What one began with: the card under it is renewed by what others save.
  const [base] = useState(service)
  const [form, setForm] = useState<Form>(() => formOf(service?.spec ?? {}))
  const [problem, setProblem] = useState('')
  const [theirs, setTheirs] = useState<Service | null>(null)
  const path = `${SERVICES}/${encodeURIComponent(name)}`
  const set = (member: keyof Form) => (event: { currentTarget: { value: string } }) => setForm({ ...form, [member]: event.currentTarget.value })
  const save = async (revision: number | undefined) => {
    const answer = specOf(form)
    if ('wrong' in answer) {
      setProblem(answer.wrong)
      return
    }
    try {
      await call(path, { method: 'PUT', json: answer.spec, headers: revision ? { 'If-Match': `"${revision}"` } : {} })
      changed('service')
      say(`Saved ${name}`, 'ok')
      done()
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) setTheirs(await call<Service>(path).catch(() => null))
      else setProblem(error instanceof ApiError ? error.message : String(error))
    }
  }
  const mine = specOf(form)
  return (
    <form class="service-editor" onSubmit={(event) => { event.preventDefault(); void save(theirs?.revision ?? base?.revision) }}>
      {theirs && <Conflict theirs={theirs} mine={'spec' in mine ? mine.spec : {}} onMine={() => { void save(theirs.revision) }} onTheirs={() => { setForm(formOf(theirs.spec)); done() }} />}
      <div class="two">
        <Field label="Owner" hint="Whom one calls: a team, a person, a channel"><input value={form.owner} onInput={set('owner')} /></Field>
        <Field label="Tier" hint="1 is what pages at night"><input inputMode="numeric" value={form.tier} onInput={set('tier')} /></Field>
      </div>
      <Field label="What it is"><textarea rows={2} value={form.description} onInput={set('description')} /></Field>
      <Field label="When it is down" hint="What users see, what is lost, what can wait: the sentence somebody needs at three in the morning"><textarea rows={3} value={form.when_down} onInput={set('when_down')} /></Field>
      <div class="three">
        <Field label="Labels that are its own" hint="name=value, a line each; without any, its name as service"><textarea class="mono" rows={3} value={form.match} placeholder="job=shop" onInput={set('match')} /></Field>
        <Field label="What it needs" hint="Services, a line each"><textarea rows={3} value={form.depends_on} onInput={set('depends_on')} /></Field>
        <Field label="Rules that watch it" hint="Names, a line each"><textarea rows={3} value={form.rules} onInput={set('rules')} /></Field>
      </div>
      <Links name="Runbook" links={form.runbooks} onChange={(runbooks) => setForm({ ...form, runbooks })} />
      <Links name="Dashboard" links={form.dashboards} onChange={(dashboards) => setForm({ ...form, dashboards })} />
      <Objectives slos={form.slos} onChange={(slos) => setForm({ ...form, slos })} />
      {problem && <p class="bad-ink" role="alert">{problem}</p>}
      <p class="row-buttons"><button type="submit" class="primary">Save</button><button type="button" onClick={done}>Cancel</button></p>
    </form>
  )
}
