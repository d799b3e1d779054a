// All incidents, newest first: what is open, and what there is to learn from.

import { useState } from 'preact/hooks'
import { call } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { query, setQuery } from '../app/router.ts'
import { say } from '../app/toast.ts'
import type { Incident } from '../app/types.ts'
import { Held } from '../ui/held.tsx'
import { IncidentRow } from '../ui/incident_row.tsx'
import { Chips, Empty, Page, Panel, Shown } from '../ui/parts.tsx'

const PAGE = 50

export function Incidents() {
  pageTitle.value = 'Incidents'
  const status = ['open', 'resolved'].includes(query('status')) ? query('status') : 'all'
  const filter = query('q')
  const path = `/api/alertd/v1/incidents?status=${status}&limit=${PAGE}`
  const data = useData<{ incidents: Incident[] }>(path, ['incident'], 30_000)
  const [older, setOlder] = useState<{ path: string; list: Incident[]; done: boolean }>({ path, list: [], done: false })
  const more = older.path === path ? older : { path, list: [], done: false }

  const loadOlder = async (all: Incident[]) => {
    const last = all.at(-1)
    if (!last) return
    try {
      const { incidents } = await call<{ incidents: Incident[] }>(`${path}&before=${last.id}`)
      setOlder({ path, list: [...more.list, ...incidents], done: incidents.length < PAGE })
    } catch (error) {
      say(`Older incidents could not be read: ${String(error)}`, 'bad')
    }
  }

  return (
    <Page title="Incidents" lead="Alerts that belong together, from the first page to the lesson.">
      <div class="filters">
        <Chips name="Status" value={status} onChoose={(value) => setQuery({ status: value === 'all' ? '' : value })}
               choices={[{ value: 'all', words: 'All' }, { value: 'open', words: 'Open' }, { value: 'resolved', words: 'Resolved' }]} />
        <input data-filter type="search" placeholder="Filter by title, key or label" aria-label="Filter incidents" value={filter} onInput={(event) => setQuery({ q: event.currentTarget.value })} />
      </div>
      <Shown data={data} what="Incidents could not be read">{({ incidents }) => {
        const all = [...incidents, ...more.list]
        const shown = all.filter((one) => `${one.key} ${one.title} ${Object.values(one.labels).join(' ')}`.toLowerCase().includes(filter.toLowerCase()))
        if (all.length === 0) {
          return <Panel><Empty icon="incidents" title={status === 'open' ? 'No open incident' : 'No incident yet'}>
            <p>When an alert fires, an incident opens here, is paged to your receivers, and records what happens until it is resolved.</p></Empty></Panel>
        }
        return (
          <Panel label="Incidents">
            {shown.length === 0
              ? <Empty icon="incidents" title={`None matches "${filter}"`}><button type="button" onClick={() => setQuery({ q: '' })}>Show all</button></Empty>
              : <Held items={shown} keyOf={(one) => one.key} class="incident-list">{(incident, gone) => <IncidentRow key={incident.key} incident={incident} gone={gone} />}</Held>}
            {incidents.length === PAGE && !more.done && <p class="center"><button type="button" onClick={() => { void loadOlder(all) }}>Older incidents</button></p>}
          </Panel>
        )
      }}</Shown>
    </Page>
  )
}
