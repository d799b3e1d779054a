// Words in everything that was written down: timelines and titles of incidents, postmortems.
// What one types is asked for after a moment's rest, and the address keeps it.

import { useEffect, useRef, useState } from 'preact/hooks'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { query, setQuery } from '../app/router.ts'
import { kindWords } from '../lib/record.ts'
import { count } from '../lib/number.ts'
import { Empty, Page, Panel, Severity, Shown, State } from '../ui/parts.tsx'
import { Ago, Clock } from '../ui/time.tsx'
import { adopt } from '../ui/sheet.ts'
import record from '../style/record.later.css'

adopt(record)

interface Hit { incident: string; title: string; status: string; severity: string; opened_at: string; event: number | null; kind: string | null; occurred_at: string | null; snippet: string }
interface Written { id: number; title: string; incident: string; snippet: string }

const REST_MS = 250
const ROWS_SHOWN = 4

/** What was found stands between U+0002 and U+0003. */
function Snippet({ text }: { text: string }) {
  return <>{text.split('\u0002').map((part, i) => {
    const [found, after] = i === 0 ? ['', part] : part.split('\u0003')
    return <span key={i}>{found && <mark>{found}</mark>}{after}</span>
  })}</>
}

/** Those of one incident together, in the order in which the best of each came. */
function byIncident(hits: readonly Hit[]): Hit[][] {
  const groups = new Map<string, Hit[]>()
  for (const hit of hits) groups.set(hit.incident, [...(groups.get(hit.incident) ?? []), hit])
  return [...groups.values()]
}

function IncidentHits({ hits, words }: { hits: Hit[]; words: string }) {
  const [first] = hits
  if (!first) return null
  const rows = hits.filter((hit) => hit.event !== null)
  return (
    <li class="found">
      <p class="between"><a data-row href={`/i/${first.incident}`}><b>{first.title}</b></a><span class="dim"><span class="num">{first.incident}</span> · <Ago at={first.opened_at} /></span></p>
      <p class="found-facts"><State state={first.status} /> <Severity severity={first.severity} /></p>
      {rows.slice(0, ROWS_SHOWN).map((hit) => <p key={hit.event}><Clock at={hit.occurred_at} /> <span class="dim">{kindWords(hit.kind ?? '')}:</span> {hit.snippet}</p>)}
      {rows.length > ROWS_SHOWN && <p><a href={`/i/${first.incident}?words=${encodeURIComponent(words)}`}>{count(rows.length - ROWS_SHOWN, 'more row')} of it</a></p>}
    </li>
  )
}

function Found({ words }: { words: string }) {
  const asked = encodeURIComponent(words)
  const incidents = useData<{ hits: Hit[] }>(`/api/alertd/v1/search?q=${asked}&limit=200`)
  const written = useData<{ hits: Written[] }>(`/api/alertd/v1/postmortems?q=${asked}`)
  return (
    <div class="stack">
      <Panel title="Postmortems" aside={written.value && <span class="dim">{count(written.value.hits.length, 'document')}</span>}>
        <Shown data={written} what="Postmortems could not be searched">{({ hits }) => hits.length === 0
          ? <p class="dim pad">None has these words.</p>
          : <ul class="aside-list">{hits.map((hit) => (
            <li key={hit.id} class="found"><p class="between"><a data-row href={`/pm/${hit.id}`}><b>{hit.title}</b></a><span class="dim num">{hit.incident}</span></p><p><Snippet text={hit.snippet} /></p></li>
          ))}</ul>}</Shown>
      </Panel>
      <Panel title="Incidents" aside={incidents.value && <span class="dim">{count(byIncident(incidents.value.hits).length, 'incident')}</span>}>
        <Shown data={incidents} what="Incidents could not be searched">{({ hits }) => hits.length === 0
          ? <p class="dim pad">No title and no row of a timeline has all these words.</p>
          : <ul class="aside-list">{byIncident(hits).map((group) => <IncidentHits key={group[0]?.incident} hits={group} words={words} />)}</ul>}</Shown>
      </Panel>
    </div>
  )
}

export function Search() {
  const words = query('q')
  const [typed, setTyped] = useState(words)
  const box = useRef<HTMLInputElement>(null)
  pageTitle.value = words ? `Search: ${words}` : 'Search'
  useEffect(() => { box.current?.focus() }, [])
  useEffect(() => {
    const timer = setTimeout(() => setQuery({ q: typed.trim() }), REST_MS)
    return () => clearTimeout(timer)
  }, [typed])
  return (
    <Page title="Search" lead="Has anyone seen this before? Titles and timelines of incidents, and what was written about them.">
      <form class="filters" role="search" onSubmit={(event) => { event.preventDefault(); setQuery({ q: typed.trim() }) }}>
        <input ref={box} data-filter class="wide-search" type="search" aria-label="Words" placeholder="connection pool exhausted" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
      </form>
      {words ? <Found key={words} words={words} /> : <Panel><Empty icon="search" title="All words must be there">
        <p>An error message, a host, a command somebody typed: what people wrote into a timeline is found as well as what machines said.</p></Empty></Panel>}
    </Page>
  )
}
