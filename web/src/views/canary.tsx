// A candidate beside its rule: what it would have paged, page by page, and then: make it the rule, or end it.

import { useState } from 'preact/hooks'
import { ApiError, call, may } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { query, setQuery } from '../app/router.ts'
import { now, zone } from '../app/settings.ts'
import { say } from '../app/toast.ts'
import type { Canary as Candidate, CanaryKind, CanaryPages, CanaryRow, CanarySide, RuleDetail } from '../app/types.ts'
import { changeWords } from '../lib/canary.ts'
import { diffLines } from '../lib/diff.ts'
import { count } from '../lib/number.ts'
import { formatSeries } from '../lib/promql.ts'
import { DAY, formatAge, formatShort } from '../lib/time.ts'
import sheet from '../style/canary.later.css'
import { Icon } from '../ui/icon.tsx'
import { Chips, Empty, Page, Panel, Shown, State, Trouble } from '../ui/parts.tsx'
import { adopt } from '../ui/sheet.ts'
import { Ago } from '../ui/time.tsx'

const KINDS: Record<CanaryKind, { state: string; words: string }> = {
  lost: { state: 'failed', words: 'Only the rule pages' },
  gained: { state: 'triggered', words: 'Only the candidate pages' },
  moved: { state: 'waiting', words: 'Both, at another time' },
  kept: { state: 'ok', words: 'Both, at the same time' },
}
const ORDER: CanaryKind[] = ['lost', 'gained', 'moved', 'kept']
const timeOf = (row: CanaryRow) => Date.parse(row.old ?? row.new ?? '')

function Sides({ current, candidate }: { current: CanarySide; candidate: CanarySide }) {
  const tone = (was: number, is: number) => (is < was ? 'better-ink' : is > was ? 'bad-ink' : '')
  return (
    <table class="list candidate-sides">
      <thead><tr><th /><th class="right">Alerts</th><th class="right">Notifications</th><th class="right">Pages</th><th class="right">At night</th></tr></thead>
      <tbody>
        {([['The rule', current], ['The candidate', candidate]] as const).map(([name, one]) => (
          <tr key={name}><td><b>{name}</b></td>{(['alerts', 'notifications', 'pages', 'nights'] as const).map((what) => (
            <td key={what} class={`num right ${one === candidate ? tone(current[what], one[what]) : ''}`} data-head={{ alerts: 'Alerts', notifications: 'Notifications', pages: 'Pages', nights: 'At night' }[what]}>{one[what].toLocaleString('en')}</td>))}</tr>
        ))}
      </tbody>
    </table>
  )
}

function Row({ row }: { row: CanaryRow }) {
  const kind = KINDS[row.kind]
  return (
    <tr>
      <td class="wide"><State state={kind.state} words={kind.words} />{row.loses_incident && <> <b class="bad-ink">and it was an incident</b></>}<div class="mono dim one-line" title={formatSeries(row.labels)}>{formatSeries(row.labels)}</div></td>
      <td data-head="When">{formatShort(timeOf(row), now.value, zone.value)}{row.night && <> <span class="warn-ink"><Icon name="moon" size={14} /> night</span></>}</td>
      <td data-head="Moved">{row.kind === 'moved' ? `${formatAge(Math.abs(row.moved_ms))} ${row.moved_ms > 0 ? 'later' : 'earlier'}` : ''}</td>
      <td data-head="Who">{row.name}</td>
    </tr>
  )
}

function Pages({ pages }: { pages: CanaryPages }) {
  const kind = query('kind') as CanaryKind | ''
  const span = query('span') === 'week' ? 'week' : ''
  const sinceMs = span === 'week' ? now.value - 7 * DAY : 0
  const rows = pages.rows.filter((row) => timeOf(row) >= sinceMs)
  const shown = rows.filter((row) => !kind || row.kind === kind)
  return (
    <>
      <div class="filters"><Chips name="Time" value={span} onChoose={(value) => setQuery({ span: value })} choices={[{ value: '', words: 'Since it began' }, { value: 'week', words: 'The last 7 days' }]} /></div>
      <div class="filters"><Chips name="Pages" value={kind} onChoose={(value) => setQuery({ kind: value })} choices={[{ value: '', words: 'All pages', n: rows.length }, ...ORDER.map((one) => ({ value: one, words: KINDS[one].words, n: rows.filter((row) => row.kind === one).length }))]} /></div>
      <Panel title="Page by page">
        {shown.length === 0
          ? <p class="pad dim">{pages.rows.length === 0 ? 'Neither of them has paged anybody since it began.' : 'None in this time.'}</p>
          : <table class="list canary"><thead><tr><th>Page</th><th>When</th><th>Moved</th><th>Who</th></tr></thead><tbody>{shown.map((row, i) => <Row key={i} row={row} />)}</tbody></table>}
        {pages.rows_cut && <p class="foot dim">There are more than are shown; the numbers above count all.</p>}
      </Panel>
    </>
  )
}

function Deeds({ one, rule, reload }: { one: Candidate; rule: RuleDetail | undefined; reload: () => void }) {
  const [problem, setProblem] = useState<ApiError | null>(null)
  if (!may('admin')) return null
  const path = `/api/alertd/v1/rules/${one.rule_id}`
  const deed = async (work: () => Promise<unknown>, words: string) => {
    try {
      await work()
      setProblem(null)
      say(words, 'ok')
      reload()
    } catch (error) { setProblem(error as ApiError) }
  }
  return (
    <>
      {problem && <Trouble error={problem} what={problem.status === 409 ? 'Not saved: somebody changed the rule meanwhile' : 'That did not work'} />}
      <p class="pad canary-do">
        <button type="button" class="primary" disabled={!rule} onClick={() => { void deed(async () => { await call(path, { method: 'PUT', json: { yaml: one.yaml, version: Math.max(...rule!.versions.map((version) => version.version)) } }); await call(`${path}/canary`, { method: 'DELETE' }) }, `${one.rule} is now as the candidate was`) }}>Make it the rule</button>
        <button type="button" onClick={() => { void deed(() => call(`${path}/canary`, { method: 'DELETE' }), 'The candidate is ended') }}>End it</button>
        <span class="dim">Either way what it would have paged is forgotten.</span>
      </p>
    </>
  )
}

function One({ one, reload }: { one: Candidate; reload: () => void }) {
  const pages = useData<CanaryPages>(`/api/alertd/v1/rules/${one.rule_id}/canary`, ['rules'], 60_000)
  const rule = useData<RuleDetail>(`/api/alertd/v1/rules/${one.rule_id}`, ['rules'], 60_000)
  const newest = [...rule.value?.versions ?? []].sort((a, b) => b.version - a.version)[0]
  return (
    <>
      {!one.running && <Trouble error={new ApiError(0, 'stopped', one.last_error ?? 'it does not say why')} what="It runs no longer" />}
      {one.rule_changed && <p class="banner warn">The rule itself was changed since this began: what is compared is the candidate and the rule as it is now.</p>}
      <Panel title="What it would change" aside={<span class="dim">since <Ago at={one.since} never="" />, by {one.author || 'somebody'}</span>}>
        <p class="pad big">{changeWords(one.current, one.candidate)}</p>
        <Sides current={one.current} candidate={one.candidate} />
        <p class="foot dim">{count(one.evaluations, 'evaluation')}{one.failures > 0 && <>, <span class="bad-ink">{one.failures} failed{one.last_error && `: ${one.last_error}`}</span></>}. It pages nobody, whatever it says.</p>
        <Deeds one={one} rule={rule.value} reload={reload} />
      </Panel>
      <Shown data={pages} what="Its pages could not be compared">{(value) => <Pages pages={value} />}</Shown>
      {newest && <Panel title="What is different">
        <pre class="code" tabIndex={0} aria-label="The rule and the candidate">{diffLines(newest.yaml, one.yaml).map((line, i) => <span key={i} class={line.kind}><i aria-label={line.kind === 'same' ? undefined : line.kind}>{{ same: ' ', added: '+', removed: '-' }[line.kind]}</i>{line.text}{'\n'}</span>)}</pre>
      </Panel>}
    </>
  )
}

export function Canary({ id }: { id: string }) {
  const data = useData<{ canaries: Candidate[] }>('/api/alertd/v1/canaries', ['rules'], 60_000)
  const one = data.value?.canaries.find((candidate) => String(candidate.rule_id) === id)
  adopt(sheet)
  pageTitle.value = one ? `Candidate of ${one.rule}` : 'Candidate'
  return (
    <Page title={one ? `Candidate of ${one.rule}` : 'Candidate'} lead={<><a href="/rules">Rules</a> · <a href={`/rules/${id}`}>{one?.rule ?? `rule ${id}`}</a> · a changed rule that runs beside it, silently</>}
          actions={<a class="button" href={`/rules/${id}/tune`}><Icon name="report" size={16} /> Tune the rule</a>}>
      <Shown data={data} what="The candidates could not be read">{() => (one ? <div class="canary-page"><One one={one} reload={data.reload} /></div> : (
        <Panel><Empty icon="rules" title="Nothing runs beside this rule"><p><a href={`/rules/${id}/tune`}>Tune it</a>, and choose <i>Try beside it, silently</i>: the changed rule is evaluated with the real one and pages nobody, and here stands what it would have changed.</p></Empty></Panel>
      ))}</Shown>
    </Page>
  )
}
