// The service catalogue: a card each, and one as a newcomer on call reads it. Its form: service_form.tsx.

import { useEffect, useState } from 'preact/hooks'
import { may } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { go } from '../app/router.ts'
import type { Service, ServiceLink } from '../app/types.ts'
import { Empty, Labels, Page, Panel, Shown } from '../ui/parts.tsx'
import { Ago } from '../ui/time.tsx'
import { ServiceCard } from './incident_record.tsx'
import { SERVICES, ServiceForm } from './service_form.tsx'

/** The whole card: what a newcomer on call needs to know of it, in the order in which they ask. */
function Whole({ service, others }: { service: Service; others: readonly string[] }) {
  const { spec } = service
  const needs = spec.depends_on ?? []
  const links = (list: ServiceLink[] | undefined) => (list ?? []).filter(({ url }) => /^(https?:\/\/|\/)/.test(url))
  const rows = (title: string, list: ServiceLink[]) => list.length > 0 && <Panel title={title}><ul class="aside-list">{list.map(({ url, title: words }) => <li key={url}><a href={url} {...(url.startsWith('/') ? {} : { target: '_blank', rel: 'noreferrer' })}>{words ?? url}</a></li>)}</ul></Panel>
  return (
    <div class="columns">
      <div class="column-main">
        <Panel title="When it is down">{spec.when_down ? <p class="when-down">{spec.when_down}</p> : <p class="dim pad">Nobody wrote it down yet. What do users see, what is lost, what can wait?</p>}</Panel>
        {spec.slos && spec.slos.length > 0 && (
          <Panel title="How good it is to be" aside={<a href={`${SERVICES}/${encodeURIComponent(service.name)}/rules`} target="_blank">Rules that watch it</a>}>
            <ul class="aside-list">{spec.slos.map((slo) => <li key={slo.name}><p class="between"><b>{slo.name}</b><span>{100 * slo.objective} % of {slo.window ?? '30d'}</span></p><p class="mono small">{slo.good}</p><p class="mono small dim">of {slo.total}</p></li>)}</ul>
          </Panel>
        )}
        {spec.rules && spec.rules.length > 0 && <Panel title="What watches it"><ul class="aside-list">{spec.rules.map((rule) => <li key={rule}><a href={`/rules?q=${encodeURIComponent(rule)}`}>{rule}</a></li>)}</ul></Panel>}
      </div>
      <aside class="column-side" aria-label="Beside it">
        <Panel title="Whom to call"><p class="pad">{spec.owner ? <b>{spec.owner}</b> : <span class="dim">nobody is named</span>}{spec.tier ? <span class="dim"> · tier {spec.tier}</span> : null}</p></Panel>
        {needs.length > 0 && <Panel title="What it needs"><ul class="aside-list">{needs.map((name) => <li key={name}><a href={`/services/${encodeURIComponent(name)}`}>{name}</a>{!others.includes(name) && <span class="dim small"> has no card yet</span>}</li>)}</ul></Panel>}
        {rows('Runbooks', links(spec.runbooks))}
        {rows('Dashboards', links(spec.dashboards))}
        <Panel title="What happened to it"><p class="pad"><a href={`/search?q=${encodeURIComponent(service.name)}`}>Incidents and postmortems that name it</a></p></Panel>
      </aside>
    </div>
  )
}

function Missing({ name, made }: { name: string; made: () => void }) {
  const [editing, setEditing] = useState(false)
  if (editing) return <Page title={name}><Panel><ServiceForm name={name} service={null} done={() => { setEditing(false); made() }} /></Panel></Page>
  return (
    <Empty icon="rules" title={`There is no service ${name} yet`}>
      {may('operate') && <button type="button" class="primary" onClick={() => setEditing(true)}>Write its card</button>} <a href="/services">All services</a>
    </Empty>
  )
}

function Card({ service, others }: { service: Service; others: string[] }) {
  const [editing, setEditing] = useState(false)
  return (
    <Page title={service.name} lead={service.spec.description ?? ''}
          actions={may('operate') && !editing ? <button type="button" onClick={() => setEditing(true)}>Edit</button> : undefined}>
      {editing ? <Panel><ServiceForm name={service.name} service={service} done={() => setEditing(false)} /></Panel> : <Whole service={service} others={others} />}
      {service.spec.match && Object.keys(service.spec.match).length > 0 && <p class="foot dim">Incidents with <Labels labels={service.spec.match} /> are its own.</p>}
      <p class="foot dim">Revision {service.revision}, by {service.updated_by} <Ago at={service.updated_at} />.</p>
    </Page>
  )
}

function One({ name }: { name: string }) {
  const data = useData<{ services: Service[] }>(SERVICES, ['service'])
  useEffect(() => { pageTitle.value = name }, [name])
  return (
    <Shown data={data} what={`${name} could not be read`}>{({ services }) => {
      const service = services.find((one) => one.name === name)
      return service ? <Card service={service} others={services.map((one) => one.name)} /> : <Missing name={name} made={data.reload} />
    }}</Shown>
  )
}

function List() {
  const data = useData<{ services: Service[] }>(SERVICES, ['service'])
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
