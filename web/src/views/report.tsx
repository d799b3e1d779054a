// Report: what a week cost the people on call, and which rules made it so. Numbers first.

import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { query, setQuery } from '../app/router.ts'
import { now, zone } from '../app/settings.ts'
import type { Report as Numbers, ReportLoad, ReportRule, ReportSpans } from '../app/types.ts'
import { count } from '../lib/number.ts'
import { shareWords, weekOf, weekStep } from '../lib/week.ts'
import { formatDay, formatElapsed, parseTime } from '../lib/time.ts'
import { Measured } from '../ui/bar.tsx'
import { Icon } from '../ui/icon.tsx'
import { Page, Panel, Shown } from '../ui/parts.tsx'

const FLAPS_FROM = 30

const dayName = (at: string) => new Date(at).toLocaleDateString('en', { weekday: 'short', ...(zone.value === 'utc' ? { timeZone: 'UTC' } : {}) })

const span = (spans: ReportSpans, ms: number) => (spans.n === 0 ? '–' : formatElapsed(ms))

function Figures({ report }: { report: Numbers }) {
  const judged = report.useful + report.noise + report.unknown
  return (
    <dl class="strip panel">
      <div><dt>Pages</dt><dd class="figure num">{report.pages}</dd></div>
      <div><dt>At night (22 to 7)</dt><dd class={`figure num ${report.night_pages ? 'bad-ink' : ''}`}>{report.night_pages}</dd></div>
      <div><dt>Incidents</dt><dd class="figure num">{report.incidents}</dd></div>
      <div><dt>Never acknowledged</dt><dd class="figure num">{report.never_acknowledged}</dd></div>
      <div><dt>Over by themselves within 5 min</dt><dd class="figure num">{report.self_resolved_within_5m}</dd></div>
      <div><dt>Noise</dt><dd class="figure num">{shareWords(report.noise_share, report.noise_share_low, report.noise_share_high).short}
        <small class="dim"> {judged ? `${judged} judged, ${report.unanswered} not` : 'nobody said'}</small></dd></div>
    </dl>
  )
}

/** Pages a day, the nights' in another colour: small, the numbers are beside it. */
function Days({ days }: { days: Numbers['days'] }) {
  const most = Math.max(1, ...days.map((day) => day.pages))
  const height = 64
  const total = days.reduce((sum, day) => sum + day.pages, 0)
  return (
    <svg class="days" viewBox={`0 0 ${days.length * 10} ${height}`} preserveAspectRatio="none" role="img"
         aria-label={`Pages a day: ${count(total, 'page')} in ${count(days.length, 'day')}, ${most} at most`}>
      {days.map((day, i) => {
        const tall = (height - 4) * (day.pages / most)
        const night = (height - 4) * (day.night_pages / most)
        return (
          <g key={day.from}>
            <title>{`${formatDay(parseTime(day.from) ?? 0, zone.value)}: ${day.pages}, ${day.night_pages} at night`}</title>
            <rect class="none" x={i * 10 + 1.5} width="7" y={height - 2} height="2" />
            <rect class="day" x={i * 10 + 1.5} width="7" y={height - tall} height={tall} />
            <rect class="night" x={i * 10 + 1.5} width="7" y={height - night} height={night} />
          </g>
        )
      })}
    </svg>
  )
}

function RuleRow({ row }: { row: ReportRule }) {
  const share = shareWords(row.noise_share, row.noise_share_low, row.noise_share_high)
  return (
    <tr>
      <td class="wide"><a data-row href={`/rules/${row.rule_id}`}><b>{row.rule}</b></a>{row.flap_percent >= FLAPS_FROM && <span class="state warn"><Icon name="explore" size={14} />flaps, {Math.round(row.flap_percent)} %</span>}</td>
      <td class="num right" data-head="Pages">{row.pages}</td>
      <td class={`num right ${row.night_pages ? 'bad-ink' : ''}`} data-head="Night">{row.night_pages}</td>
      <td class="num right" data-head="Useful">{row.useful}</td>
      <td class="num right" data-head="Noise">{row.noise}</td>
      <td class="num right" data-head="Not known">{row.unknown}</td>
      <td class="num right" data-head="Not judged">{row.unanswered}</td>
      <td class="right" data-head="Noise share">{row.noise_share === null ? <span class="dim">–</span> : <span title={share.long}><Measured part={row.noise_share} around={row.noise_share_high ?? 0}>{share.short}</Measured></span>}</td>
    </tr>
  )
}

function Rules({ rules }: { rules: ReportRule[] }) {
  return (
    <Panel title="Rules, the noisiest first">
      {rules.length === 0
        ? <p class="dim pad">No rule paged anybody.</p>
        : <table class="list"><thead><tr><th>Rule</th><th class="right">Pages</th><th class="right">Night</th><th class="right">Useful</th><th class="right">Noise</th><th class="right">Not known</th><th class="right">Not judged</th><th class="right">Noise share</th></tr></thead>
            <tbody>{rules.map((row) => <RuleRow key={`${row.rule_id} ${row.rule}`} row={row} />)}</tbody></table>}
    </Panel>
  )
}

function Loads({ title, head, rows }: { title: string; head: string; rows: (ReportLoad & { name: string })[] }) {
  return (
    <Panel title={title}>
      <table class="list"><thead><tr><th>{head}</th><th class="right">Pages</th><th class="right">Night</th><th class="right">Incidents</th></tr></thead>
        <tbody>{rows.map((row) => (
          <tr key={row.name}><td class="wrap">{row.name}</td><td class="num right" data-head="Pages">{row.pages}</td>
            <td class={`num right ${row.night_pages ? 'bad-ink' : ''}`} data-head="Night">{row.night_pages}</td><td class="num right" data-head="Incidents">{row.incidents}</td></tr>
        ))}</tbody></table>
    </Panel>
  )
}

function Times({ report }: { report: Numbers }) {
  const rows: [string, ReportSpans][] = [['Acknowledged in', report.time_to_acknowledge], ['Resolved in', report.time_to_resolve]]
  return (
    <Panel title="How fast">
      <table class="list"><thead><tr><th>Time until</th><th class="right">Median</th><th class="right">9 of 10</th><th class="right">Longest</th><th class="right">Of</th></tr></thead>
        <tbody>{rows.map(([name, spans]) => (
          <tr key={name}><td>{name}</td><td class="num right" data-head="Median">{span(spans, spans.median_ms)}</td><td class="num right" data-head="9 of 10">{span(spans, spans.p90_ms)}</td>
            <td class="num right" data-head="Longest">{span(spans, spans.max_ms)}</td><td class="num right" data-head="Of">{spans.n}</td></tr>
        ))}</tbody></table>
    </Panel>
  )
}

function Flapping({ rows }: { rows: Numbers['flapping'] }) {
  if (rows.length === 0) return null
  return (
    <Panel title="What flaps">
      <ul class="aside-list">{rows.map((row, i) => (
        <li key={i}><p class="between"><b>{row.rule}</b><span class="num">{Math.round(row.percent)} %</span></p><p class="dim">{row.instance && `${row.instance} · `}{count(row.changes, 'change')}</p></li>
      ))}</ul>
    </Panel>
  )
}

export function Report() {
  pageTitle.value = 'Report'
  const where = query('zone') || (zone.value === 'utc' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone)
  const thisWeek = weekOf(now.peek())
  const week = query('week') || thisWeek
  const data = useData<Numbers>(`/api/alertd/v1/report?week=${encodeURIComponent(week)}&zone=${encodeURIComponent(where)}`, ['incident'], 60_000)
  const show = (to: string) => setQuery({ week: to }, { push: true })
  return (
    <Page title="Report" actions={
      <div class="ranges">
        <button type="button" class="quiet" aria-label="The week before" onClick={() => show(weekStep(week, -1))}>‹</button>
        <b class="num">{week}</b>
        <button type="button" class="quiet" aria-label="The week after" disabled={week >= thisWeek} onClick={() => show(weekStep(week, 1))}>›</button>
      </div>}>
      <Shown data={data} what="The report could not be read">{(report) => (
        <div class="report">
          <Figures report={report} />
          <Rules rules={report.rules} />
          <div class="columns">
            <div class="column-main">
              <Times report={report} />
              <Panel title="Pages a day"><Days days={report.days} /><p class="day-names dim" aria-hidden="true">{report.days.map((day) => <span key={day.from}>{dayName(day.from)}</span>)}</p></Panel>
              <Loads title="When" head="Day" rows={report.days.map((row) => ({ ...row, name: formatDay(parseTime(row.from) ?? 0, zone.value) }))} />
            </div>
            <aside class="column-side" aria-label="People">
              <Loads title="Who was paged" head="Who" rows={report.people.map((row) => ({ ...row, name: row.is_person ? row.who : `receiver ${row.who}` }))} />
              {report.shifts.length > 0 && <Loads title="Shifts" head="Whose turn" rows={report.shifts.map((row) => ({ ...row, name: `${row.who}, ${row.schedule}, from ${formatDay(parseTime(row.from) ?? 0, zone.value)}` }))} />}
              <Flapping rows={report.flapping} />
            </aside>
          </div>
        </div>
      )}</Shown>
    </Page>
  )
}
