// Postmortems: what was learnt, and what still waits to be written.

import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { query, setQuery } from '../app/router.ts'
import type { Incident, PostmortemHead } from '../app/types.ts'
import { count } from '../lib/number.ts'
import { Icon } from '../ui/icon.tsx'
import { Chips, Empty, Page, Panel, Severity, Shown, State } from '../ui/parts.tsx'
import { Ago } from '../ui/time.tsx'

function Unwritten({ incidents }: { incidents: Incident[] }) {
  const without = incidents.filter((incident) => incident.postmortem === null).slice(0, 5)
  if (without.length === 0) return null
  return (
    <Panel title="Resolved, not yet written up">
      <ul class="rows">{without.map((incident) => (
        <li key={incident.key}><Icon name="incidents" size={16} />
          <a data-row class="grow" href={`/i/${incident.key}`}>{incident.title} <span class="dim num">{incident.key}</span></a>
          <Severity severity={incident.severity} /><span class="dim"><Ago at={incident.resolved_at} /></span></li>
      ))}</ul>
    </Panel>
  )
}

export function Postmortems() {
  pageTitle.value = 'Postmortems'
  const data = useData<{ postmortems: PostmortemHead[] }>('/api/alertd/v1/postmortems', ['postmortem'], 60_000)
  const resolved = useData<{ incidents: Incident[] }>('/api/alertd/v1/incidents?status=resolved&limit=50', ['incident', 'postmortem'], 60_000).value
  const status = query('status')
  return (
    <Page title="Postmortems" lead="The timeline and the graphs are already there. Write only what a machine can't know."
          actions={<><a class="button" href="/search"><Icon name="search" size={16} /> Search</a><a class="button" href="/pm/trends"><Icon name="report" size={16} /> Trends</a><a class="button" href="/pm/tables"><Icon name="note" size={16} /> Tables</a></>}>
      <Shown data={data} what="Postmortems could not be read">{({ postmortems }) => {
        const shown = postmortems.filter((one) => !status || one.status === status)
        const n = (value: string) => postmortems.filter((one) => one.status === value).length
        return (
          <>
            {postmortems.length > 0 && (
              <div class="filters"><Chips name="Status" value={status} onChoose={(value) => setQuery({ status: value })} choices={[
                { value: '', words: 'All', n: postmortems.length }, { value: 'draft', words: 'Drafts', n: n('draft') },
                { value: 'in_review', words: 'In review', n: n('in_review') }, { value: 'reviewed', words: 'Reviewed', n: n('reviewed') }, { value: 'published', words: 'Published', n: n('published') },
                { value: 'closed', words: 'Closed', n: n('closed') }]} /></div>
            )}
            <div class="stack">
              <Panel label="Postmortems">
                {postmortems.length === 0
                  ? <Empty icon="postmortems" title="No postmortem yet"><p>Open an incident and choose <b>Write postmortem</b>: the draft comes with its facts, timeline and graph.</p></Empty>
                  : shown.length === 0
                    ? <Empty icon="postmortems" title="None in this state"><button type="button" onClick={() => setQuery({ status: '' })}>Show all</button></Empty>
                    : <ul class="rows tall">{shown.map((one) => (
                      <li key={one.id}>
                        <a data-row class="grow" href={`/pm/${one.id}`}><b>{one.title}</b><span class="dim num">{one.incident}</span></a>
                        {one.open_actions > 0 && <span class="dim">{count(one.open_actions, 'open action')}</span>}
                        {one.open_prompts > 0 && <span class="warn-ink">{count(one.open_prompts, 'question')} open</span>}
                        <State state={one.status} />
                        <span class="dim">{one.updated_by && `${one.updated_by}, `}<Ago at={one.updated_at} /></span>
                      </li>
                    ))}</ul>}
              </Panel>
              <Unwritten incidents={resolved?.incidents ?? []} />
            </div>
          </>
        )
      }}</Shown>
    </Page>
  )
}
