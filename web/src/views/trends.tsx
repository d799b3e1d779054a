// What the published postmortems of a year say together: how long it took, each incident a dot;
// what happens where, and what it comes from, by the month; what happened again; what was promised and
// what became of it. Behind each picture is its table.

import type { ComponentChildren } from 'preact'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { query, setQuery } from '../app/router.ts'
import { now } from '../app/settings.ts'
import { count } from '../lib/number.ts'
import { formatDuration, parseTime } from '../lib/time.ts'
import { SPANS, areaShare, medianOf, spanShare, yearShare } from '../lib/trend.ts'
import { Icon } from '../ui/icon.tsx'
import { Empty, Page, Panel, Severity, Shown } from '../ui/parts.tsx'
import { adopt } from '../ui/sheet.ts'
import record from '../style/record.later.css'

adopt(record)

interface Row { id: number; title: string; incident: string; severity: string; recurrence_of: string; opened_at: string; ttd: number | null; ttm: number | null; ttr: number | null }
interface Tag { tag: string; n: number; done_in_time: number; done_late: number; wont_do: number; open: number; overdue: number }
interface Factor { postmortem: number; incident: string; text: string }
interface Line { name: string; n: number; months: number[]; said: Factor[] }
interface Counted { n: number; months: number[]; service?: string; tag?: string; said?: Factor[] }
interface Trends { year: number; postmortems: Row[]; actions: Tag[]; services: Counted[]; factors: Counted[]; factors_in: number }

const FIGURES = [
  { name: 'ttd', title: 'Time to detect', words: 'from the impact to the first alert or report' },
  { name: 'ttm', title: 'Time to mitigate', words: 'from being detected to the end of the impact' },
  { name: 'ttr', title: 'Time to resolve', words: 'from the impact to the end of the incident' },
] as const
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
/** Lines that are drawn; the table has all. */
const LINES = 12
const HIGH = 150
/** In units of a picture; a phone's has fewer, so that its words stay readable. */
const widthOf = () => window.innerWidth < 720 ? 340 : 640

function Dots({ rows, of, year }: { rows: readonly Row[]; of: (typeof FIGURES)[number]; year: number }) {
  const wide = widthOf()
  const known = rows.flatMap((row) => (row[of.name] === null ? [] : [{ row, ms: (row[of.name] ?? 0) * 1000 }]))
  const median = medianOf(known.map(({ ms }) => ms))
  const y = (ms: number) => HIGH - 16 - spanShare(ms) * (HIGH - 24)
  const x = (at: string) => 44 + yearShare(parseTime(at) ?? 0, year) * (wide - 52)
  const said = median === null ? 'not known of any' : `median ${formatDuration(median)}, known of ${known.length} of ${rows.length}`
  return (
    <Panel title={of.title} aside={<span class="dim">{said}</span>}>
      <p class="dim pad small">{of.words}</p>
      <svg class="trend" viewBox={`0 0 ${wide} ${HIGH}`} role="group" aria-label={`${of.title}: ${said}`}>
        {SPANS.map(({ ms, words }) => <g key={words}><line x1={44} x2={wide - 8} y1={y(ms)} y2={y(ms)} class="trend-grid" /><text x={38} y={y(ms) + 3} class="trend-words end">{words}</text></g>)}
        {MONTHS.map((month, i) => <text key={i} x={44 + ((i + 0.5) / 12) * (wide - 52)} y={HIGH - 2} class="trend-words middle">{month[0]}</text>)}
        {median !== null && <line x1={44} x2={wide - 8} y1={y(median)} y2={y(median)} class="trend-median" />}
        {known.map(({ row, ms }) => <a key={row.id} href={`/pm/${row.id}`} aria-label={`${row.incident} ${row.title}: ${formatDuration(ms)}`}><circle cx={x(row.opened_at)} cy={y(ms)} r={5} class={`trend-dot${row.recurrence_of ? ' again' : ''}`}><title>{`${row.incident} ${row.title}: ${formatDuration(ms)}`}</title></circle></a>)}
      </svg>
      {known.length > 0 && (
        <Behind what={of.title}>
          <thead><tr><th>Incident</th><th>Opened</th><th class="right">{of.title}</th></tr></thead>
          <tbody>{known.map(({ row, ms }) => <tr key={row.id}><td><a href={`/pm/${row.id}`}>{row.title}</a> <span class="dim num">{row.incident}</span></td><td class="num">{row.opened_at.slice(0, 10)}</td><td class="num right">{formatDuration(ms)}</td></tr>)}</tbody>
        </Behind>
      )}
    </Panel>
  )
}

function Behind({ what, children }: { what: string; children: ComponentChildren }) {
  return <details class="behind"><summary>As a table<span class="hidden">: {what}</span></summary><div class="scroll" tabIndex={0} role="region" aria-label={`${what}, as a table`}><table class="list">{children}</table></div></details>
}

/** How many a month, each an area: lines by how much there is of them in the year. */
function Months({ title, words, said, lines, first, href }: { title: string; words: string; said: string; lines: readonly Line[]; first: string; href?: (name: string) => string | null }) {
  const shown = lines.slice(0, LINES)
  const most = Math.max(1, ...shown.flatMap((line) => line.months))
  const high = shown.length * 30 + 22
  const [wide, long] = [widthOf(), widthOf() < 640 ? 15 : 24]
  const left = 8 + long * 7
  const x = (month: number) => left + ((month + 0.5) / 12) * (wide - left - 30)
  const place = (line: Line) => href?.(line.name) ?? null
  return (
    <Panel title={title} aside={<span class="dim">{said}</span>}>
      <p class="dim pad small">{words}{lines.length > LINES && ` The first ${LINES} are drawn.`}</p>
      <svg class="trend" viewBox={`0 0 ${wide} ${high}`} role="img" aria-label={`${title}: ${shown.map((line) => `${line.name} ${line.n}`).join(', ')}`}>
        {shown.map((line, i) => (
          <g key={line.name}>
            <line x1={left} x2={wide - 30} y1={i * 30 + 15} y2={i * 30 + 15} class="trend-grid" />
            <text x={left - 8} y={i * 30 + 19} class="trend-name end"><title>{line.name}</title>{line.name.length > long ? `${line.name.slice(0, long - 1)}…` : line.name}</text>
            {line.months.map((n, month) => n > 0 && <g key={month}><circle cx={x(month)} cy={i * 30 + 15} r={4 + (wide < 640 ? 5 : 10) * areaShare(n, most)} class="trend-area"><title>{`${line.name}, ${MONTHS[month] ?? ''}: ${n}`}</title></circle>{n > 1 && <text x={x(month)} y={i * 30 + 18.5} class="trend-words middle inside">{n}</text>}</g>)}
            <text x={wide - 8} y={i * 30 + 19} class="trend-name end num">{line.n}</text>
          </g>
        ))}
        {MONTHS.map((month, i) => <text key={month} x={x(i)} y={high - 4} class="trend-words middle">{month[0]}</text>)}
      </svg>
      <Behind what={title}>
        <thead><tr><th>{first}</th>{MONTHS.map((month) => <th key={month} class="right">{month}</th>)}<th class="right">Year</th></tr></thead>
        <tbody>{lines.map((line) => <tr key={line.name}><td>{place(line) ? <a href={place(line) ?? ''}>{line.name}</a> : line.name}</td>{line.months.map((n, i) => <td key={i} class="num right">{n || ''}</td>)}<td class="num right">{line.n}</td></tr>)}</tbody>
      </Behind>
      {lines.some((line) => line.said.length > 0) && (
        <details class="behind"><summary>In their words</summary>
          {lines.map((line) => <div key={line.name} class="pad"><h3>{line.name}</h3><ul class="plain">{line.said.map((one, i) => <li key={i}>{one.text} <a class="num" href={`/pm/${one.postmortem}`}>{one.incident}</a></li>)}{line.n > line.said.length && <li class="dim">and {line.n - line.said.length} more</li>}</ul></div>)}
        </details>
      )}
    </Panel>
  )
}

const NO_SERVICE = 'no service of the catalogue'
const NO_TAG = 'without a tag'

function Over({ trends }: { trends: Trends }) {
  const lines = (from: Counted[], name: (one: Counted) => string): Line[] => from.map((one) => ({ name: name(one), n: one.n, months: one.months, said: one.said ?? [] }))
  const services = lines(trends.services, (one) => one.service || NO_SERVICE)
  const factors = lines(trends.factors, (one) => one.tag ? `#${one.tag}` : NO_TAG)
  return (
    <>
      {services.length > 0 && <Months title="Where it happens" words="Incidents by the service of the catalogue that they concern, by the month in which they were opened; one may concern several." said={count(services.filter((one) => one.name !== NO_SERVICE).length, 'service')} lines={services} first="Service" href={(name) => name === NO_SERVICE ? null : `/services/${encodeURIComponent(name)}`} />}
      {factors.length > 0
        ? <Months title="What it comes from" words="Contributing factors of published documents, by the tags that stand in them." said={`named in ${trends.factors_in} of ${trends.postmortems.length}`} lines={factors} first="About" />
        : <Panel title="What it comes from"><p class="dim pad">No published document of {trends.year} names a contributing factor. A tag such as #capacity in one says what it is about.</p></Panel>}
    </>
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
            <a class="button" href={`${path}&format=html`} download={`review-${year}.html`}><Icon name="download" size={16} /> Review of the year</a>
            <a class="button" href={`${path}&format=md`} download={`review-${year}.md`}>as Markdown</a></>}>
      <Shown data={data} what="The trends could not be read">{(trends) => trends.postmortems.length === 0 && trends.actions.length === 0 && trends.services.length === 0
        ? <Panel><Empty icon="postmortems" title={`No postmortem of ${year} was published`}><p>What is published here is compared: how long detection took, what happened again, what became of promises. <a href="/pm">All postmortems</a></p></Empty></Panel>
        : <div class="stack">
          {FIGURES.map((of) => <Dots key={of.name} rows={trends.postmortems} of={of} year={year} />)}
          <Over trends={trends} />
          <Again rows={trends.postmortems} />
          <Promised tags={trends.actions} />
        </div>}</Shown>
    </Page>
  )
}
