// The service catalogue: a card each, and one as its card and its JSON.

import { useEffect, useState } from 'preact/hooks'
import { ApiError, call, may } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { changed, useData } from '../app/data.ts'
import { go } from '../app/router.ts'
import { say } from '../app/toast.ts'
import type { Service } from '../app/types.ts'
import { Empty, Labels, Page, Panel, Shown } from '../ui/parts.tsx'
import { Ago } from '../ui/time.tsx'
import { ServiceCard } from './incident_record.tsx'

const PATH = '/api/alertd/v1/services'
const EXAMPLE = JSON.stringify({ owner: '', tier: 1, match: { job: '' }, depends_on: [], when_down: '', runbooks: [], dashboards: [], rules: [], slos: [] }, null, 2)

function Editor({ name, service, done }: { name: string; service: Service | null; done: () => void }) {
  const [text, setText] = useState(service ? JSON.stringify(service.spec, null, 2) : EXAMPLE)
  const [problem, setProblem] = useState('')
  const save = async () => {
    try {
      const headers: Record<string, string> = service ? { 'If-Match': `"${service.revision}"` } : {}
      await call(`${PATH}/${encodeURIComponent(name)}`, { method: 'PUT', json: JSON.parse(text), headers })
      changed('service')
      say(`Saved ${name}`, 'ok')
      done()
    } catch (error) {
      setProblem(error instanceof ApiError || error instanceof Error ? error.message : String(error))
    }
  }
  return (
    <form class="service-editor" onSubmit={(event) => { event.preventDefault(); void save() }}>
      <label>What the card says, as JSON<textarea class="mono" rows={18} value={text} spellcheck={false} onInput={(event) => setText(event.currentTarget.value)} /></label>
      {problem && <p class="bad-ink" role="alert">{problem}</p>}
      <p class="row-buttons"><button type="submit" class="primary">Save</button><button type="button" onClick={done}>Cancel</button></p>
    </form>
  )
}

function One({ name }: { name: string }) {
  const data = useData<Service>(`${PATH}/${encodeURIComponent(name)}`, ['service'])
  const [editing, setEditing] = useState(false)
  useEffect(() => { pageTitle.value = name }, [name])
  if (data.error?.status === 404) {
    return editing
      ? <Page title={name}><Panel><Editor name={name} service={null} done={() => { setEditing(false); data.reload() }} /></Panel></Page>
      : <Empty icon="rules" title={`There is no service ${name} yet`}>{may('operate') && <button type="button" class="primary" onClick={() => setEditing(true)}>Write its card</button>} <a href="/services">All services</a></Empty>
  }
  return (
    <Shown data={data} what={`${name} could not be read`}>{(service) => (
      <Page title={service.name} lead={service.spec.description ?? ''}
            actions={may('operate') ? <button type="button" onClick={() => setEditing(!editing)}>Edit</button> : undefined}>
        <Panel>{editing ? <Editor name={name} service={service} done={() => setEditing(false)} /> : <ServiceCard service={service} />}</Panel>
        {service.spec.slos && service.spec.slos.length > 0 && (
          <Panel title="Objectives" aside={<a href={`${PATH}/${encodeURIComponent(name)}/rules`} target="_blank">Rules that watch them</a>}>
            <ul class="aside-list">{service.spec.slos.map((slo) => <li key={slo.name}><p class="between"><b>{slo.name}</b><span>{100 * slo.objective} % of {slo.window ?? '30d'}</span></p><p class="mono small">{slo.good}</p><p class="mono small dim">of {slo.total}</p></li>)}</ul>
          </Panel>
        )}
        {service.spec.match && Object.keys(service.spec.match).length > 0 && <p class="foot dim">Incidents with <Labels labels={service.spec.match} /> are its own.</p>}
        <p class="foot dim">Revision {service.revision}, by {service.updated_by} <Ago at={service.updated_at} />.</p>
      </Page>
    )}</Shown>
  )
}

function List() {
  const data = useData<{ services: Service[] }>(PATH, ['service'])
  const [name, setName] = useState('')
  pageTitle.value = 'Services'
  return (
    <Page title="Services" lead="What a newcomer on call reads first: whom it belongs to, what it needs, what happens when it is down."
          actions={may('operate') && (
            <form class="service-new" onSubmit={(event) => { event.preventDefault(); if (name.trim()) go(`/services/${encodeURIComponent(name.trim())}`) }}>
              <input type="text" aria-label="Name of a service" placeholder="name" value={name} onInput={(event) => setName(event.currentTarget.value)} /><button type="submit">Open or add</button>
            </form>)}>
      <Shown data={data} what="The services could not be read">{({ services }) => services.length === 0
        ? <Empty icon="rules" title="No service yet"><p>Name one above, or <code>alertctl service set NAME FILE</code>.</p></Empty>
        : <div class="service-list">{services.map((service) => <Panel key={service.name}><ServiceCard service={service} /></Panel>)}</div>}</Shown>
    </Page>
  )
}

export function Services({ id }: { id?: string | undefined }) {
  return id ? <One key={id} name={id} /> : <List />
}
