// The tuner's panels that ask when the hand rests: alert by alert, what would have been read, pages; and
// the rule as it would be stored, incidents, why.

import type { ReadonlySignal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import { ApiError, call, may } from '../app/api.ts'
import { setQuery, query } from '../app/router.ts'
import { now, zone } from '../app/settings.ts'
import { say } from '../app/toast.ts'
import { diffLines } from '../lib/diff.ts'
import { count, formatValue } from '../lib/number.ts'
import { formatSeries } from '../lib/promql.ts'
import { formatAge, formatClock, formatDuration, formatExact, formatShort } from '../lib/time.ts'
import { type Finding, forMs, type Model, readWindows, type Setting, settingWords, type ToldAlerts, type Tuning, type TuningIncident, writeWindows } from '../lib/tune.ts'
import { Icon } from '../ui/icon.tsx'
import { Panel, State, Trouble } from '../ui/parts.tsx'
import { Why } from '../ui/why.tsx'
import { drillPath, TryDrills } from './tune_drills.tsx'

export type Body = Record<string, unknown>
export interface Episode { labels: Record<string, string>; active_at: string; fired_at: string; resolved_at: string | null; in_incident: boolean; at_night: boolean }
export interface Episodes { yaml: string; expr: string; findings: Finding[]; alerts: number; true_alerts: number; nights: number; episodes: Episode[] }
interface Told { receiver: string; kind: string; policy: string | null; title: string; text: string; note: string | null }
interface Preview { at: string; value: number; labels: Record<string, string>; annotations: Record<string, string>; told: Told[] }
export interface PagesAnswer { alerts: number; notifications: number; n_pages: number; nights: number; ack_after_ms: number | null; no_policy: string | null; people: { name: string; pages: number; nights: number }[]; hours: number[] }
interface Explanation {
  at: string; evaluated_at: string; next_at: string; threshold: number; n_series: number; firing: number; pending: number
  series: { labels: Record<string, string>; value: number | null; passes: boolean; state: string; active_at: string | null; fired_at: string | null; fires_at: string | null; kept_since: string | null }[]
  read: { selector: string; series: number; newest_at: string | null }[]
}

/** fresh: the value is of what is asked now, not of what was. */
export interface Asked<T> { value: T | null; error: ApiError | null; fresh: boolean; retry: () => void }

/** As many as may be tuned at once are (a question that was given up is still answered): soon again. */
async function patiently<T>(path: string, body: Body, signal: AbortSignal): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await call<T>(path, { json: body, signal, limitMs: 40_000 })
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 503 || tries === 8) throw error
      await new Promise((done) => setTimeout(done, 500))
      if (signal.aborted) throw new ApiError(0, 'cancelled', 'cancelled')
    }
  }
}

/** Asks when what is asked changes; null: nothing is. */
export function useAsked<T>(path: string, body: Body | null): Asked<T> {
  const [value, setValue] = useState<{ data: T; key: string } | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  const [again, setAgain] = useState(0)
  const key = body === null ? '' : JSON.stringify(body)
  useEffect(() => {
    if (body === null) return undefined
    const stop = new AbortController()
    patiently<T>(path, body, stop.signal)
      .then((data) => { setValue({ data, key }); setError(null) })
      .catch((reason: ApiError) => { if (reason.type !== 'cancelled') setError(reason) })
    return () => stop.abort()
  }, [path, key, again])
  return { value: value?.data ?? null, error, fresh: error === null && value?.key === key, retry: () => setAgain(again + 1) }
}

const SHOWN = 9 // alerts at first: what is below them stays near

export const withoutColumns = ({ columns: _, ...rest }: Body): Body => rest

// --- alert by alert, and what would have been read ----------------------------------------

/** One setting alert by alert: asked once, shown in two places. */
export const useEpisodes = (body: Body | null): Asked<Episodes> => useAsked<Episodes>('/api/alertd/v1/tunings/episodes', body === null ? null : withoutColumns(body))

interface AlertsProps { asked: Asked<Episodes>; body: Body; model: Model; rested: Setting; chosen: string; onChoose: (key: string) => void }

/** An alert as the address names it: when it fired, and which of those. */
const keyOf = (episodes: readonly Episode[], i: number): string => {
  const at = episodes[i]!.fired_at
  let same = 0
  while (i > same && episodes[i - same - 1]!.fired_at === at) same++
  return `${Date.parse(at) / 1000}${same ? `-${same}` : ''}`
}
/** That one, or the first. */
export const chosenOf = (value: Episodes | null, chosen: string): Episode | undefined => (chosen ? value?.episodes.find((_, i) => keyOf(value.episodes, i) === chosen) : undefined) ?? value?.episodes[0]

/** As steps, where not every series is in the browser; null: the runs say it all, or it is not known yet. */
export function toldOf(model: Model, { value, fresh }: Asked<Episodes>, setting: Setting): ToldAlerts | null {
  if (model.complete || !value || !fresh) return null
  const { start_ms, step_ms, n_steps } = model.answer
  const step = (at: string) => Math.round((Date.parse(at) - start_ms) / step_ms)
  return { setting, alerts: value.episodes.map((one) => ({ series: -1, active: step(one.active_at), fired: step(one.fired_at), resolved: one.resolved_at ? step(one.resolved_at) : n_steps, found: one.in_incident })) }
}

export function Alerts({ asked: { value, error, fresh, retry }, body, model, rested, chosen, onChoose }: AlertsProps) {
  const [open, setOpen] = useState(SHOWN)
  const episodes = value?.episodes ?? []
  const one = chosenOf(value, chosen)
  useEffect(() => setOpen(SHOWN), [JSON.stringify(body)])
  return (
    <Panel title="Alert by alert" aside={value && fresh && <span class="dim">{count(value.alerts, 'alert')} at {settingWords(model, rested)}</span>}>
      {error && <Trouble error={error} what={value ? 'The alerts could not be listed anew; these are of another setting' : 'The alerts could not be listed'} retry={retry} />}
      {value && episodes.length === 0 && <p class="pad dim">At this setting it would not have fired at all.</p>}
      <ul class={`tune-list ${fresh ? '' : 'gone'}`}>{episodes.slice(0, open).map((episode, i) => (
        <li key={i}><button type="button" aria-pressed={episode === one} onClick={() => onChoose(keyOf(episodes, i))}>
          <span class="when" title={formatExact(Date.parse(episode.fired_at), zone.value)}>{formatShort(Date.parse(episode.fired_at), now.peek(), zone.value)}</span>
          <span class="held">{episode.resolved_at ? formatAge(Date.parse(episode.resolved_at) - Date.parse(episode.fired_at)) : 'still'}</span>
          <span class="labels-mono">{formatSeries(episode.labels)}</span>
          {episode.in_incident ? <State state="acknowledged" words="in an incident" /> : episode.at_night && <span class="night"><Icon name="moon" size={14} /> at night</span>}
        </button></li>
      ))}</ul>
      {episodes.length > open && <p class="pad"><button type="button" onClick={() => setOpen(open + 100)}>More of the {episodes.length.toLocaleString('en')}</button></p>}
      {value && value.alerts > episodes.length && <p class="pad dim">The first {episodes.length.toLocaleString('en')} of them.</p>}
    </Panel>
  )
}

export function Told({ body, episode }: { body: Body | null; episode: Episode }) {
  const { value, error, fresh, retry } = useAsked<Preview>('/api/alertd/v1/tunings/preview', body === null ? null : { ...withoutColumns(body), at: episode.fired_at, labels: episode.labels })
  return (
    <Panel title="What somebody would have read" aside={<span class="dim">of {formatShort(Date.parse(episode.fired_at), now.peek(), zone.value)}</span>}>
      {error && (error.status === 404 && error.warnings.length === 0 ? <p class="pad dim">Nothing: at that moment the rule as it stands gives another value.</p> : <Trouble error={error} what="It could not be written" retry={retry} />)}
      {value && (
        <div class={`told ${fresh ? '' : 'gone'}`}>
          {value.told.map((one, i) => (
            <div key={i} class="told-one">
              <header><span>{one.kind === 'oncall' ? `whoever is on call, by ${one.policy}` : `${one.receiver}, by ${one.kind}`}</span><span>{formatShort(Date.parse(value.at), now.peek(), zone.value)}</span></header>
              <b>{one.title}</b>
              <pre>{one.text}</pre>
              {one.note && <p class="warn-ink">A template failed, so these are our own words: {one.note}</p>}
            </div>
          ))}
          {value.told.length === 0 && <p class="dim">Nobody: no receiver of the route it takes reaches anybody.</p>}
        </div>
      )}
    </Panel>
  )
}

// --- the rule, and what becomes of it ------------------------------------------------------

export async function copyText(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    say(`${what} copied`, 'ok')
  } catch {
    say('The browser does not let the page copy: select the text', 'bad')
  }
}

/** Lines of the text with what was found in them underlined. */
function Squiggled({ yaml, findings, kinds }: { yaml: string; findings: Finding[]; kinds: ('same' | 'added' | 'removed')[] }) {
  return (
    <>{yaml.replace(/\n$/, '').split('\n').map((line, i) => {
      const here = findings.filter((one) => one.line <= i + 1 && one.end_line >= i + 1).sort((a, b) => a.column - b.column)
      const pieces: (string | { text: string; of: Finding })[] = []
      let at = 0
      for (const one of here) {
        const from = Math.max(at, one.line === i + 1 ? one.column - 1 : 0)
        const to = one.end_line === i + 1 ? one.end_column - 1 : line.length
        if (to <= from) continue
        pieces.push(line.slice(at, from), { text: line.slice(from, to), of: one })
        at = to
      }
      pieces.push(line.slice(at))
      return <span key={i} class={kinds[i] ?? 'same'}><i>{kinds[i] === 'added' ? '+' : ' '}</i>{pieces.map((piece, n) => (typeof piece === 'string' ? piece : <u key={n} class={`squiggle ${piece.of.severity}`} title={piece.of.text}>{piece.text}</u>))}{'\n'}</span>
    })}</>
  )
}

/** A file for `alertctl test rules` and `promtool test rules`, of one alert of this setting. */
const testOf = async (body: Body, episode: Episode): Promise<string> =>
  (await call<{ yaml: string }>('/api/alertd/v1/tunings/unit', { json: { ...withoutColumns(body), at: episode.fired_at, labels: episode.labels } })).yaml

interface RuleProps { id: string; asked: Asked<Episodes>; episode: Episode | undefined; body: Body; model: Model; settled: ReadonlySignal<boolean> }

/** settled: the hand is not on its way to another setting. What is not of this setting can't be saved. */
export function RuleText({ id, asked: { value, fresh }, episode, body, model, settled }: RuleProps) {
  const isThis = fresh && settled.value
  const { rule } = model.answer
  const isLate = model.answer.ingest_lag_ms > 0
  const [saved, setSaved] = useState<{ version: number; yaml: string } | null>(null)
  const [problem, setProblem] = useState<ApiError | null>(null)
  const [test, setTest] = useState('')
  const [tried, setTried] = useState(false)
  const yaml = value?.yaml ?? rule.yaml
  const changed = value !== null && value.yaml !== (saved?.yaml ?? rule.yaml)
  const kinds = diffLines(saved?.yaml ?? rule.yaml, yaml).filter((one) => one.kind !== 'removed').map((one) => one.kind)
  const findings = value?.findings ?? rule.findings
  useEffect(() => { setProblem(null); setTest(''); setTried(false) }, [yaml])
  useEffect(() => setTest(''), [episode?.fired_at])
  const save = async () => {
    try {
      const { version } = await call<{ version: number }>(`/api/alertd/v1/rules/${encodeURIComponent(id)}`, { method: 'PUT', json: { yaml, version: saved?.version ?? rule.version } })
      setSaved({ version, yaml })
      setProblem(null)
      say(`Saved as version ${version}: it is evaluated from now on`, 'ok')
    } catch (error) { setProblem(error as ApiError) }
  }
  const canary = async () => {
    try {
      await call(`/api/alertd/v1/rules/${encodeURIComponent(id)}/canary`, { json: { yaml } })
      setTried(true)
      say('It runs beside the rule from now on, and pages nobody', 'ok')
    } catch (error) { setProblem(error as ApiError) }
  }
  const generate = async () => {
    if (!episode) return
    try {
      setTest(await testOf(body, episode))
    } catch (error) { setProblem(error as ApiError) }
  }
  return (
    <section class="panel tune-rule" aria-label="The rule">
      <header class="panel-head"><h2>The rule{changed && ', changed'}</h2><div class="panel-aside dim">version {saved?.version ?? rule.version}{rule.source && <> of <span class="mono">{rule.source}</span></>}</div></header>
      <pre class={`code ${isThis ? '' : 'gone'}`} tabIndex={0} aria-label="The rule as YAML"><Squiggled yaml={yaml} findings={findings} kinds={kinds} /></pre>
      {findings.length > 0 && <ul class="findings">{findings.map((one, i) => <li key={i}><Icon name={one.severity === 'advice' ? 'note' : 'alarm'} size={15} /><span><b>{one.id}</b>, line {one.line}: {one.text}{one.fix && <> <span class="dim">{one.fix}</span></>}</span></li>)}</ul>}
      {problem && <Trouble error={problem} what={problem.status === 409 ? 'Not saved' : problem.status === 404 ? 'Not available here' : 'That did not work'} {...(problem.status === 409 ? { retry: () => location.reload() } : {})} />}
      <div class="tune-do">
        <button type="button" class="primary" disabled={!changed || !isThis || !may('admin')} title={may('admin') ? '' : 'Only an admin may change rules'} onClick={() => { void save() }}>Save as a new version</button>
        <button type="button" disabled={!changed || !isThis || !may('admin')} onClick={() => { void canary() }}>Try beside it, silently</button>
        <button type="button" disabled={!isThis} onClick={() => { void copyText(yaml, 'YAML') }}>Copy as YAML</button>
        <button type="button" disabled={!isThis || !episode || isLate} title={isLate ? 'A test sees each sample at once: not with samples that came late' : episode ? `Of the alert of ${formatExact(Date.parse(episode.fired_at), zone.value)}` : 'It would not have fired'} onClick={() => { void generate() }}>Make a unit test</button>
        {tried && <p class="dim">It runs beside the rule and pages nobody. <a href={`/rules/${encodeURIComponent(id)}/canary`}>What it changes, page by page</a></p>}
        {saved && <p class="dim">Saved. When {rule.source ?? 'its file'} is kept elsewhere too (a repository, --rules.import), change it there as well: the next import replaces this.</p>}
      </div>
      {test && <><pre class="code tune-test" tabIndex={0} aria-label="A unit test">{test}</pre><p class="tune-do"><button type="button" onClick={() => { void copyText(test, 'Unit test') }}>Copy the test</button></p></>}
    </section>
  )
}

// --- pages ---------------------------------------------------------------------------------

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

function HoursOfWeek({ hours }: { hours: number[] }) {
  const most = Math.max(1, ...hours)
  return (
    <svg class="tune-hours" viewBox="0 0 264 90" preserveAspectRatio="none" role="img" aria-label={`Pages by hour of the week: ${hours.map((n, i) => (n ? `${DAYS[Math.floor(i / 24)]} ${i % 24} h ${n}` : '')).filter(Boolean).join(', ') || 'none'}`}>
      {hours.map((n, i) => <rect key={i} x={(i % 24) * 11} y={Math.floor(i / 24) * 12.8} width={10.2} height={11.8} style={n ? { fill: 'var(--bad-solid)', fillOpacity: String(0.25 + (0.75 * n) / most) } : {}}><title>{DAYS[Math.floor(i / 24)]} {i % 24} h: {n}</title></rect>)}
    </svg>
  )
}

/** What a setting would have paged; null: nothing is asked. */
export function usePages(body: Body, model: Model, setting: Setting | null): Asked<PagesAnswer> {
  const { answer } = model
  const asked = answer.rule.id === null || setting === null ? null : { rule: answer.rule.id, choice: answer.choice, threshold: answer.thresholds[setting.j], for_ms: forMs(answer, setting.k), keep_ms: setting.keepMs, from: body['from'], to: body['to'], drill: body['drill'], session: body['session'], ingest_lag_ms: body['ingest_lag_ms'] }
  return useAsked<PagesAnswer>('/api/alertd/v1/tunings/pages', asked)
}

function HoursTable({ hours }: { hours: number[] }) {
  return (
    <details class="tune-table"><summary>The hours as a table</summary>
      <table class="list"><thead><tr><th>Day</th><th>0 to 7 h</th><th>7 to 12 h</th><th>12 to 18 h</th><th>18 to 22 h</th><th>22 to 24 h</th></tr></thead>
        <tbody>{DAYS.map((day, d) => <tr key={day}><th>{day}</th>{[[0, 7], [7, 12], [12, 18], [18, 22], [22, 24]].map(([from, to]) => <td key={from} class="num">{hours.slice(d * 24 + from!, d * 24 + to!).reduce((sum, n) => sum + n, 0)}</td>)}</tr>)}</tbody></table>
    </details>
  )
}

export function Pages({ asked: { value, error, fresh, retry } }: { asked: Asked<PagesAnswer> }) {
  return (
    <Panel title="Who would have been paged" aside={<span class="dim">through routes, silences and schedules</span>}>
      {error ? <Trouble error={error} what="The pages could not be counted" retry={retry} /> : value ? (
        <div class={fresh ? '' : 'gone'}>
          <div class="tune-people">
            <p>{count(value.alerts, 'alert')} → {count(value.notifications, 'notification')} → <b>{count(value.n_pages, 'page')}</b>, {value.nights.toLocaleString('en')} at night.{value.ack_after_ms !== null && <span class="dim"> Reckoned as if somebody took each after {formatAge(value.ack_after_ms)}.</span>}</p>
            {value.people.map((one) => <div key={one.name}><span>{one.name}</span><span class="num">{count(one.pages, 'page')}{one.nights > 0 && `, ${one.nights} at night`}</span></div>)}
            {value.no_policy !== null && <p class="bad-ink">There is no policy {value.no_policy}: a receiver that goes by it pages nobody.</p>}
            {value.n_pages === 0 && value.alerts > 0 && value.no_policy === null && <p class="dim">Nobody: no route takes them to anybody, or silences hold them.</p>}
          </div>
          {value.hours.length === 168 && value.n_pages > 0 && <><HoursOfWeek hours={value.hours} /><p class="foot dim">By hour of their week: Monday above, midnight at the left.</p><HoursTable hours={value.hours} /></>}
        </div>
      ) : <p class="pad dim">Being counted …</p>}
    </Panel>
  )
}

// --- incidents -----------------------------------------------------------------------------

/** The same as a drag across the graph, for fingers and keyboards. */
function SayWhen({ fromMs, toMs }: { fromMs: number; toMs: number }) {
  const text = (ms: number) => new Date(ms - (zone.value === 'utc' ? 0 : new Date(ms).getTimezoneOffset() * 60_000)).toISOString().slice(0, 16)
  const read = (value: string) => Date.parse(zone.value === 'utc' ? `${value}Z` : value)
  const [wrong, setWrong] = useState('')
  const add = (event: SubmitEvent) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    const window = { fromMs: read(String(form.get('from'))), toMs: read(String(form.get('to'))) }
    if (!(window.fromMs < window.toMs)) { setWrong('It must end after it began.'); return }
    if (window.toMs <= fromMs || window.fromMs >= toMs) { setWrong('That is not within the time that is looked at: choose another above.'); return }
    setWrong('')
    setQuery({ inc: writeWindows([...readWindows(query('inc')), window]) }, { push: true })
  }
  return (
    <details class="tune-say"><summary>Say when it was bad</summary>
      <form onSubmit={add}>
        <label>From<input type="datetime-local" name="from" required defaultValue={text(toMs - 3_600_000)} /></label>
        <label>to<input type="datetime-local" name="to" required defaultValue={text(toMs)} /></label>
        <button type="submit">It was bad then</button>
        {wrong && <p class="bad-ink" role="alert">{wrong}</p>}
      </form>
    </details>
  )
}

/** asked: alert by alert; the one that finds an incident is looked at, and a unit test is made of it. */
export function Incidents({ id, model, rested, answer, asked: { value, fresh } }: { id: string; model: Model; rested: Setting; answer: Tuning; asked: Asked<Episodes> }) {
  const finderOf = (one: TuningIncident): string => {
    const at = fresh && value ? value.episodes.findIndex((episode) => episode.in_incident && Date.parse(episode.fired_at) <= Date.parse(one.end) && (episode.resolved_at === null || Date.parse(episode.resolved_at) > Date.parse(one.begin))) : -1
    return at < 0 ? '' : keyOf(value!.episodes, at)
  }
  const own = readWindows(query('inc'))
  const turn = (key: string) => {
    const turned = new Set(query('turned').split(',').filter(Boolean))
    if (!turned.delete(key)) turned.add(key)
    setQuery({ turned: [...turned].join(',') }, { push: true })
  }
  const drop = (one: TuningIncident) => setQuery({ inc: writeWindows(own.filter((window) => Math.abs(window.fromMs - Date.parse(one.begin)) > 999 || Math.abs(window.toMs - Date.parse(one.end)) > 999)) }, { push: true })
  const at = rested.j * answer.for_steps.length + rested.k
  return (
    <Panel title="When it was bad" aside={<span class="dim">{count(model.incidents.length, 'incident')}</span>}>
      {answer.incidents.length === 0 && <p class="pad dim">No incident is known in this time. Drag across the graph where it was bad, or say it here.</p>}
      <ul class="tune-incidents">{answer.incidents.map((one, i) => {
        const delay = one.at >= 0 ? answer.delays[one.at]?.[at] ?? -1 : -1
        return (
          <li key={i} class={one.at >= 0 ? '' : 'off'}>
            <span class="number">{one.at >= 0 ? one.at + 1 : '–'}</span>
            <span class="grow">{one.source === 'drill' && answer.drill ? <a href={drillPath(answer.drill)}>{one.title}</a> : one.key ? <a href={`/i/${one.key}`}>{one.title ?? one.key}</a> : one.title ?? 'Marked here'}<br /><span class="dim">{formatShort(Date.parse(one.begin), now.peek(), zone.value)}, {formatAge(Date.parse(one.end) - Date.parse(one.begin))} · {one.words}</span></span>
            {one.at >= 0 && (delay >= 0 ? <State state="ok" words={`found after ${formatAge(delay * answer.step_ms)}`} /> : <State state="failed" words="missed" />)}
            <span class="do">
              {one.at >= 0 && delay >= 0 && finderOf(one) !== '' && <button type="button" onClick={() => setQuery({ alert: finderOf(one) })}>Its alert</button>}
              {one.key ? <button type="button" onClick={() => turn(one.key!)}>{one.counts ? 'Leave out' : 'Take in'}</button> : <button type="button" aria-label={`Remove ${formatShort(Date.parse(one.begin), now.peek(), zone.value)}`} onClick={() => drop(one)}>Remove</button>}
            </span>
          </li>
        )
      })}</ul>
      <SayWhen fromMs={Date.parse(answer.from)} toMs={Date.parse(answer.to)} />
      <TryDrills id={id} />
    </Panel>
  )
}

// --- why, at an instant ---------------------------------------------------------------------

const local = (ms: number): string => new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 19)

function stateWords(one: Explanation['series'][number], shownZone: 'local' | 'utc'): string {
  const clock = (at: string | null) => (at ? formatClock(Date.parse(at), shownZone) : '')
  if (one.state === 'firing') return one.kept_since ? `fires since ${clock(one.fired_at)}, kept firing since ${clock(one.kept_since)}` : `fires since ${clock(one.fired_at)}`
  if (one.state === 'pending') return `true since ${clock(one.active_at)}, would fire at ${clock(one.fires_at)}`
  return one.value === null ? 'has no value' : 'does not pass'
}

export function Explained({ body, atMs, model, onClose }: { body: Body; atMs: number; model: Model; onClose: () => void }) {
  const { value, error, retry } = useAsked<Explanation>('/api/alertd/v1/tunings/explain', { ...withoutColumns(body), at: new Date(atMs).toISOString() })
  const shownZone = zone.value
  const first = value?.series[0]
  const plain = Object.fromEntries(Object.entries(model.answer.rule.labels).filter(([, text]) => !text.includes('{{')))
  return (
    <Panel title={`Why, at ${formatShort(atMs, now.peek(), shownZone)}`} aside={<>
      {first && <Why of={{ labels: { ...first.labels, ...plain, alertname: model.answer.rule.name }, supposed: 'true' }} at={local(atMs)} />}
      <button type="button" class="quiet" aria-label="Close" onClick={onClose}><Icon name="cross" size={16} /></button></>}>
      {error && <Trouble error={error} what="It could not be told" retry={retry} />}
      {value && (
        <>
          <p class="pad">{value.firing > 0 ? <State state="firing" words={`${value.firing} would fire`} /> : value.pending > 0 ? <State state="pending" words={`${value.pending} would wait`} /> : <State state="inactive" words="It would be quiet" />}{' '}
            The evaluation of then was at {formatClock(Date.parse(value.evaluated_at), shownZone)}, the next at {formatClock(Date.parse(value.next_at), shownZone)}: every {formatDuration(model.answer.step_ms)}.{' '}
            {value.read.map((one) => <span key={one.selector}><code>{one.selector}</code> {one.newest_at ? `had ${count(one.series, 'series', 'series')}, the newest sample ${formatAge(Math.max(0, Date.parse(value.evaluated_at) - Date.parse(one.newest_at)))} old` : 'had no sample in a day'}. </span>)}</p>
          <div class="scroll" tabIndex={0} role="region" aria-label="Series at that time"><table class="list tune-why">
            <thead><tr><th>Series</th><th class="right">Value</th><th class="right">Threshold</th><th>Then</th></tr></thead>
            <tbody>{value.series.slice(0, 12).map((one, i) => (
              <tr key={i}><td class="mono">{formatSeries(one.labels)}</td><td class={`num right ${one.passes ? 'bad-ink' : ''}`}>{one.value === null ? 'none' : formatValue(one.value)}</td><td class="num right">{model.choice.way === 'presence' ? '' : `${model.choice.op} ${value.threshold}`}</td><td class="wrap"><State state={one.state} words={stateWords(one, shownZone)} /></td></tr>
            ))}</tbody>
          </table></div>
          {value.n_series > 12 && <p class="foot dim">Those that fire or wait first; {(value.n_series - 12).toLocaleString('en')} more.</p>}
        </>
      )}
    </Panel>
  )
}
