// What the published postmortems of a year say together: how long it took, each incident a dot;
// what happened again; what was promised and what became of it.

import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { query, setQuery } from '../app/router.ts'
import { now } from '../app/settings.ts'
import { count } from '../lib/number.ts'
import { formatDuration, parseTime } from '../lib/time.ts'
import { SPANS, medianOf, spanShare, yearShare } from '../lib/trend.ts'
import { Icon } from '../ui/icon.tsx'
import { Empty, Page, Panel, Severity, Shown } from '../ui/parts.tsx'
import { adopt } from '../ui/sheet.ts'
import record from '../style/record.later.css'

adopt(record)

interface Row { id: number; title: string; incident: string; severity: string; recurrence_of: string; opened_at: string; ttd: number | null; ttm: number | null; ttr: number | null }
interface Tag { tag: string; n: number; done_in_time: number; done_late: number; wont_do: number; open: number; overdue: number }
interface Trends { year: number; postmortems: Row[]; actions: Tag[] }

const FIGURES = [
  { name: 'ttd', title: 'Time to detect', words: 'from the impact to the first alert or report' },
  { name: 'ttm', title: 'Time to mitigate', words: 'from being detected to the end of the impact' },
  { name: 'ttr', title: 'Time to resolve', words: 'from the impact to the end of the incident' },
] as const
const MONTHS = ['J', 'F', 'M', 'A', 'M', 'J', 'J', 'A', 'S', 'O', 'N', 'D']
const WIDE = 640
const HIGH = 150

function Dots({ rows, of, year }: { rows: readonly Row[]; of: (typeof FIGURES)[number]; year: number }) {
  const known = rows.flatMap((row) => (row[of.name] === null ? [] : [{ row, ms: (row[of.name] ?? 0) * 1000 }]))
  const median = medianOf(known.map(({ ms }) => ms))
  const y = (ms: number) => HIGH - 16 - spanShare(ms) * (HIGH - 24)
  const x = (at: string) => 44 + yearShare(parseTime(at) ?? 0, year) * (WIDE - 52)
  const said = median === null ? 'not known of any' : `median ${formatDuration(median)}, known of ${known.length} of ${rows.length}`
  return (
    <Panel title={of.title} aside={<span class="dim">{said}</span>}>
      <p class="dim pad small">{of.words}</p>
      <svg class="trend" viewBox={`0 0 ${WIDE} ${HIGH}`} role="img" aria-label={`${of.title}: ${said}`}>
        {SPANS.map(({ ms, words }) => <g key={words}><line x1={44} x2={WIDE - 8} y1={y(ms)} y2={y(ms)} class="trend-grid" /><text x={38} y={y(ms) + 3} class="trend-words end">{words}</text></g>)}
        {MONTHS.map((month, i) => <text key={i} x={44 + ((i + 0.5) / 12) * (WIDE - 52)} y={HIGH - 2} class="trend-words middle">{month}</text>)}
        {median !== null && <line x1={44} x2={WIDE - 8} y1={y(median)} y2={y(median)} class="trend-median" />}
        {known.map(({ row, ms }) => <a key={row.id} href={`/pm/${row.id}`} aria-label={`${row.title}: ${formatDuration(ms)}`}><circle cx={x(row.opened_at)} cy={y(ms)} r={5} class={`trend-dot${row.recurrence_of ? ' again' : ''}`}><title>{`${row.incident} ${row.title}: ${formatDuration(ms)}`}</title></circle></a>)}
      </svg>
    </Panel>
  )
}

function Promised({ tags }: { tags: readonly Tag[] }) {
  return (
    <Panel title="What was promised">
      {tags.length === 0 ? <p class="dim pad">Nothing was.</p> : (
        <div class="scroll"><table class="list">
          <thead><tr><th>About</th><th class="right">Promised</th><th class="right">Done in time</th><th class="right">Done late</th><th class="right">Open</th><th class="right">Overdue</th><th class="right">Will not be done</th></tr></thead>
          <tbody>{tags.map((tag) => (
            <tr key={tag.tag}><td>{tag.tag || 'nothing special'}</td><td class="num right">{tag.n}</td><td class="num right">{tag.done_in_time}</td><td class="num right">{tag.done_late}</td><td class="num right">{tag.open}</td><td class="num right">{tag.overdue > 0 ? <b class="bad-ink">{tag.overdue}</b> : 0}</td><td class="num right">{tag.wont_do}</td></tr>
          ))}</tbody>
        </table></div>
      )}
    </Panel>
  )
}

function Again({ rows }: { rows: readonly Row[] }) {
  const again = rows.filter((row) => row.recurrence_of)
  return (
    <Panel title="What happened again">
      {again.length === 0 ? <p class="dim pad">Nothing that somebody linked to an earlier incident.</p> : (
        <ul class="rows">{again.map((row) => <li key={row.id}><a data-row class="grow" href={`/pm/${row.id}`}>{row.title}</a><Severity severity={row.severity} /><span class="dim">as <a class="num" href={`/i/${row.recurrence_of}`}>{row.recurrence_of}</a></span></li>)}</ul>
      )}
    </Panel>
  )
}

export function TrendsView() {
  const thisYear = new Date(now.peek()).getUTCFullYear()
  const asked = Number(query('year'))
  const year = Number.isInteger(asked) && asked >= 1970 && asked <= 9998 ? asked : thisYear
  const path = `/api/alertd/v1/postmortems/trends?year=${year}`
  const data = useData<Trends>(path, ['postmortem'], 300_000)
  pageTitle.value = `Trends ${year}`
  const turn = (to: number) => setQuery({ year: to === thisYear ? '' : String(to) })
  return (
    <Page title={`Trends of ${year}`} lead={data.value && `${count(data.value.postmortems.length, 'published postmortem')}. Each dot is an incident and leads to its document; a filled ring happened before.`}
          actions={<>
            <button type="button" aria-label={`${year - 1}`} onClick={() => turn(year - 1)}>‹ {year - 1}</button>
            <button type="button" disabled={year >= thisYear} aria-label={`${year + 1}`} onClick={() => turn(year + 1)}>{year + 1} ›</button>
            <a class="button" href={`${path}&format=md`} download={`review-${year}.md`}><Icon name="download" size={16} /> Review of the year</a></>}>
      <Shown data={data} what="The trends could not be read">{(trends) => trends.postmortems.length === 0 && trends.actions.length === 0
        ? <Panel><Empty icon="postmortems" title={`No postmortem of ${year} was published`}><p>What is published here is compared: how long detection took, what happened again, what became of promises. <a href="/pm">All postmortems</a></p></Empty></Panel>
        : <div class="stack">
          {FIGURES.map((of) => <Dots key={of.name} rows={trends.postmortems} of={of} year={year} />)}
          <Again rows={trends.postmortems} />
          <Promised tags={trends.actions} />
        </div>}</Shown>
    </Page>
  )
}
