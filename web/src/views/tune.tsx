// One rule over its past: what each setting would have done, read off while it is dragged.
//
//     address --ask--> one answer --lib/tune.ts--> model      nothing is asked while a hand is on it
//     setting (a signal) --each frame--> line, bands, heat map, read-outs
//     setting at rest --> the address, alert by alert, what would be read, pages

import { computed, type ReadonlySignal, type Signal, useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { ApiError, call } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useKey } from '../app/keyboard.ts'
import { go, query, setQuery } from '../app/router.ts'
import { now, zone } from '../app/settings.ts'
import { announce } from '../app/toast.ts'
import { hand } from '../chart/hand.ts'
import { TuneGraph } from '../chart/tune_graph.tsx'
import { TuneHeat } from '../chart/tune_heat.tsx'
import { count } from '../lib/number.ts'
import { DAY, formatAge, formatDuration, formatShort, MINUTE, parseDuration, parseRange, parts } from '../lib/time.ts'
import { difference, exprWith, forMs, type Model, modelOf, nearestThreshold, type Readout, readout, readWindows, sameSetting, type Setting, settingWords, type Tuning, type Window, writeWindows } from '../lib/tune.ts'
import sheet from '../style/tune.later.css'
import { Entry } from '../ui/entry.tsx'
import { Chips, Empty, Missing, Page, Panel, Severity, Trouble, Waiting } from '../ui/parts.tsx'
import { adopt } from '../ui/sheet.ts'
import { isDrill, OverDrill, pastPath, TryDrills } from './tune_drills.tsx'
import { Hysteresis, Outages } from './tune_more.tsx'
import { Noisy, Spans } from './tune_noise.tsx'
import { Alerts, type Asked, chosenOf, Explained, Incidents, Pages, type PagesAnswer, RuleText, Told, toldOf, useEpisodes, usePages } from './tune_parts.tsx'

const REST_MS = 250
const RANGES = [{ value: 'now-1d', words: '1 day' }, { value: 'now-7d', words: '7 days' }, { value: 'now-30d', words: '30 days' }, { value: 'now-90d', words: '90 days' }]
const KEEPS = [0, 1, 2, 5, 10, 15, 30, 60].map((one) => one * MINUTE)
const LAGS = [0, 15_000, 30_000, MINUTE, 2 * MINUTE, 5 * MINUTE]

const zoneName = () => (zone.value === 'utc' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone)
export const isNight = (atMs: number): boolean => {
  const { hour } = parts(atMs, zone.value)
  return hour < 7 || hour >= 22
}

/** What the address asks, as the API takes it; without the setting, which the page finds in the answer. */
function questionOf(id: string, nowMs: number): Record<string, unknown> | null {
  const range = parseRange(query('from') || 'now-30d', query('to') || 'now', nowMs)
  if (!range) return null
  const lagMs = parseDuration(query('lag')) ?? 0
  return {
    rule: Number(id), zone: zoneName(), columns: 800,
    ...(query('session') ? { session: Number(query('session')) } : query('drill') ? { drill: query('drill') } : {}),
    ...(lagMs > 0 ? { ingest_lag_ms: lagMs } : {}),
    // Of a drill all of it, unless the address says which part.
    ...(isDrill() && !query('from') ? {} : { from: new Date(range.fromMs).toISOString(), to: new Date(range.toMs).toISOString() }),
    ...(query('move') ? { choice: Number(query('move')) } : {}),
    incidents: readWindows(query('inc')).map((one) => ({ from: new Date(one.fromMs).toISOString(), to: new Date(one.toMs).toISOString() })),
    turned: query('turned').split(',').filter(Boolean),
  }
}

/** The setting of the address, when the grid has none: a row and a column of its own are asked for. */
function typedSetting(): Record<string, unknown> {
  const threshold = query('t') === '' ? Number.NaN : Number(query('t'))
  const held = parseDuration(query('for'))
  return { ...(Number.isFinite(threshold) ? { threshold } : {}), ...(held === null ? {} : { for_ms: held }) }
}

function settingOf(answer: Tuning): Setting {
  return { j: answer.also.threshold, k: answer.also.for, keepMs: parseDuration(query('keep')) ?? answer.rule.keep_firing_for_ms }
}

/** The rule as it is. */
const ownOf = ({ answer }: Model): Setting => ({ j: answer.now.threshold, k: answer.now.for, keepMs: answer.rule.keep_firing_for_ms })

// --- read-outs ----------------------------------------------------------------------------

function Read({ name, value, unit, was, tone, pale }: { name: string; value: string; unit?: string; was: string; tone?: 'better' | 'worse' | ''; pale?: boolean }) {
  return <div class={pale ? 'pale' : ''}><dt>{name}</dt><dd>{value}{unit && <> <small>{unit}</small></>}</dd><dd class={`was ${tone ?? ''}`}>{was}</dd></div>
}

interface ReadsProps { model: Model; setting: Signal<Setting>; read: ReadonlySignal<Readout>; rested: Setting; pages: Asked<PagesAnswer>; ownPages: PagesAnswer | null }

function Reads({ model, setting, read, rested, pages, ownPages }: ReadsProps) {
  const own = ownOf(model)
  const before = useMemo(() => readout(model, own, isNight), [model, zone.value])
  const at = read.value
  const same = sameSetting(setting.value, own)
  const n = (value: number) => value.toLocaleString('en')
  const beside = (was: number, is: number): { was: string; tone: 'better' | 'worse' | '' } => ({ was: same ? 'as it is' : `instead of ${n(was)}`, tone: is < was ? 'better' : is > was ? 'worse' : '' })
  return (
    <dl class="tune-reads" aria-label="What this setting would have done">
      <Read name="Alerts" value={n(at.alerts)} unit={model.answer.drill ? 'in the drill' : `${at.perWeek >= 10 ? n(Math.round(at.perWeek)) : at.perWeek.toFixed(1)} a week`} {...beside(before.alerts, at.alerts)} />
      <Read name="At night" value={n(at.nights)} {...beside(before.nights, at.nights)} />
      {model.answer.rule.id !== null && !pages.error && <Paged pages={pages} own={ownPages} fresh={pages.fresh && sameSetting(setting.value, rested)} same={same} />}
      {at.of > 0 ? <>
        <Read name="About nothing" value={n(at.aboutNone)} {...beside(before.aboutNone, at.aboutNone)} />
        <Read name="Incidents found" value={`${at.found}`} unit={`of ${at.of}`} was={`${Math.round(at.low * 100)} to ${Math.round(at.high * 100)} % of all such`} tone={at.found < before.found ? 'worse' : at.found > before.found ? 'better' : ''} />
        <Read name="Found after" value={at.medianMs === null ? '–' : formatAge(at.medianMs)} was={at.worstMs === null ? 'none is found' : `the last ${formatAge(at.worstMs)}${same || before.worstMs === null ? '' : `, instead of ${formatAge(before.worstMs)}`}`} tone={before.worstMs !== null && at.worstMs !== null && at.worstMs > before.worstMs ? 'worse' : ''} />
      </> : <Read name="Firing" value={formatAge(at.firingMs)} was="of all series together" />}
    </dl>
  )
}

/** What alertd has to count: it follows when the hand rests, and is pale until then. */
function Paged({ pages, own, fresh, same }: { pages: Asked<PagesAnswer>; own: PagesAnswer | null; fresh: boolean; same: boolean }) {
  const one = pages.value
  if (!one) return <><Read name="Notifications" value="…" was="being counted" pale /><Read name="Pages" value="…" was="being counted" pale /></>
  const beside = (was: number | undefined, is: number) => ({ was: !fresh ? 'at rest' : same ? 'as it is' : was === undefined ? '' : `instead of ${was.toLocaleString('en')}`, tone: !fresh || was === undefined || is === was ? '' as const : is < was ? 'better' as const : 'worse' as const })
  return <>
    <Read name="Notifications" value={one.notifications.toLocaleString('en')} {...beside(own?.notifications, one.notifications)} pale={!fresh} />
    <Read name="Pages" value={one.n_pages.toLocaleString('en')} unit={`${one.nights.toLocaleString('en')} at night`} {...beside(own?.n_pages, one.n_pages)} pale={!fresh} />
  </>
}

/** Said to those who listen, when the hand rests. */
function spokenWords(model: Model, setting: Setting, one: Readout): string {
  const incidents = one.of > 0 ? `, ${one.found} of ${one.of} incidents found, ${one.aboutNone} about nothing` : ''
  return `${settingWords(model, setting)}: ${count(one.alerts, 'alert')}, ${one.nights} at night${incidents}`
}

// --- controls -----------------------------------------------------------------------------

function Controls({ model, setting, onType }: { model: Model; setting: Signal<Setting>; onType: (threshold: number) => void }) {
  const { answer } = model
  const { j, k, keepMs } = setting.value
  const keeps = [...new Set([...KEEPS, answer.rule.keep_firing_for_ms, keepMs])].sort((a, b) => a - b)
  const lags = [...new Set([...LAGS, answer.ingest_lag_ms])].sort((a, b) => a - b)
  return (
    <div class="tune-controls">
      {answer.choices.length > 1 && (
        <label>Moved
          <select value={String(answer.choice)} onChange={(event) => setQuery({ move: event.currentTarget.value, t: '', for: query('for') })}>
            {answer.choices.map((choice, i) => <option key={i} value={String(i + 1)}>{choiceWords(choice)}</option>)}
          </select></label>
      )}
      {model.choice.way !== 'presence' && (
        <label>{model.choice.way === 'together' || model.choice.way === 'vectors' ? 'Factor' : 'Threshold'}
          <Entry type="number" value={String(answer.thresholds[j])} onEnter={(text) => { if (text !== '') onType(Number(text)) }} /></label>
      )}
      <label class="control wide"><span>Held for <b>{formatDuration(forMs(answer, k))}</b></span>
        <input type="range" min={0} max={answer.for_steps.length - 1} step={1} value={k} aria-valuetext={formatDuration(forMs(answer, k))}
               onInput={(event) => { setting.value = { ...setting.peek(), k: Number(event.currentTarget.value) } }} /></label>
      <label>Keep firing for
        <select value={String(keepMs)} disabled={!model.complete} onChange={(event) => { setting.value = { ...setting.peek(), keepMs: Number(event.currentTarget.value) } }}>
          {keeps.map((one) => <option key={one} value={String(one)}>{one === 0 ? 'not at all' : formatDuration(one)}</option>)}
        </select></label>
      <label title="Live, an evaluation does not see what has not come yet. With this each one reads only what was there then, one after the other: it takes longer.">Samples came
        <select value={String(answer.ingest_lag_ms)} onChange={(event) => setQuery({ lag: event.currentTarget.value === '0' ? '' : formatDuration(Number(event.currentTarget.value)) }, { push: true })}>
          {lags.map((one) => <option key={one} value={String(one)}>{one === 0 ? 'at once' : `${formatDuration(one)} late`}</option>)}
        </select></label>
      <button type="button" class="end" disabled={sameSetting(setting.value, ownOf(model))} onClick={() => { setting.value = ownOf(model) }}>As it is</button>
    </div>
  )
}

function choiceWords({ way, op, places }: Tuning['choices'][number]): string {
  const texts = places.map((one) => one.text).join(', ')
  if (way === 'presence') return 'only how long it holds'
  if (way === 'together') return `all of ${texts}, by one factor`
  return way === 'vectors' ? `a factor of ${texts}` : `the ${texts} in “${op} ${texts}”`
}

// --- suggestion ---------------------------------------------------------------------------

function Suggestion({ model, setting }: { model: Model; setting: Signal<Setting> }) {
  const { answer } = model
  const own: Setting = { j: answer.now.threshold, k: answer.now.for, keepMs: 0 }
  const before = readout(model, own, isNight)
  const take = (j: number, k: number) => { setting.value = { ...setting.peek(), j, k } }
  if (!answer.suggestion) {
    return (
      <Panel title="Suggestion"><div class="suggest">
        <p>{model.incidents.length === 0
          ? 'None yet: fewest alerts would be no alerts. Drag across the graph where it was really bad, or take in an incident of the records below; then settings can be told from each other.'
          : before.found === 0 ? 'None: the rule finds none of these incidents as it is, so no setting can be said to be as good.' : 'None: no setting finds the same incidents with fewer alerts about nothing.'}</p>
      </div></Panel>
    )
  }
  const { threshold: j, for: k } = answer.suggestion
  const after = readout(model, { j, k, keepMs: 0 }, isNight)
  return (
    <Panel title="Suggestion" aside={<kbd>s</kbd>}>
      <div class="suggest">
        <p class="big">{settingWords(model, { j, k })}</p>
        <p>{difference(before, after)}; the last is found after {after.worstMs === null ? 'never' : formatAge(after.worstMs)}, now {before.worstMs === null ? 'never' : formatAge(before.worstMs)}. Its neighbours are about as good{answer.left_out.n > 0 && <>, and suggested without knowing of one of them it would have found it {answer.left_out.found} of {count(answer.left_out.n, 'time')}</>}.</p>
        <div class="row"><button type="button" class="primary" onClick={() => take(j, k)}>Look at it</button></div>
        <Front model={model} before={before} onTake={take} />
      </div>
    </Panel>
  )
}

/** What else there is to choose among: each is better than the others in something. */
function Front({ model, before, onTake }: { model: Model; before: Readout; onTake: (j: number, k: number) => void }) {
  const { answer } = model
  const others = answer.front.filter((one) => one.threshold !== answer.suggestion?.threshold || one.for !== answer.suggestion.for)
  if (others.length === 0) return null
  return (
    <details><summary>Or something else that nothing beats</summary>
      <ul>{others.map((one) => {
        const then = readout(model, { j: one.threshold, k: one.for, keepMs: 0 }, isNight)
        return <li key={`${one.threshold} ${one.for}`}><button type="button" class="quiet" onClick={() => onTake(one.threshold, one.for)}><span><b>{settingWords(model, { j: one.threshold, k: one.for })}</b>: {difference(before, then)}{then.worstMs !== null && <>, the last found after {formatAge(then.worstMs)}</>}</span></button></li>
      })}</ul></details>
  )
}

// --- the table behind the heat map -------------------------------------------------------

function pick(n: number, most: number, must: number[]): number[] {
  const chosen = new Set(must.filter((one) => one >= 0))
  for (let i = 0; i < Math.min(n, most); i++) chosen.add(Math.round((i * (n - 1)) / Math.max(1, Math.min(n, most) - 1)))
  return [...chosen].sort((a, b) => a - b)
}

function SurfaceTable({ model, setting }: { model: Model; setting: Signal<Setting> }) {
  const { answer } = model
  const rows = pick(answer.thresholds.length, 10, [answer.now.threshold, answer.suggestion?.threshold ?? -1])
  const columns = pick(answer.for_steps.length, 7, [answer.now.for, answer.suggestion?.for ?? -1])
  return (
    <details class="tune-table"><summary>The map as a table</summary>
      <div class="scroll"><table class="list">
        <thead><tr><th>{model.choice.op}</th>{columns.map((k) => <th key={k}>{formatDuration(forMs(answer, k))}</th>)}</tr></thead>
        <tbody>{rows.map((j) => (
          <tr key={j}><th>{model.choice.way === 'presence' ? 'there' : answer.thresholds[j]}</th>{columns.map((k) => {
            const one = readout(model, { j, k, keepMs: 0 }, isNight)
            const words = `${settingWords(model, { j, k })}: ${one.alerts} alerts, ${one.found} of ${one.of} incidents found`
            return <td key={k}><button type="button" class="quiet" aria-label={words} title={words} onClick={() => { setting.value = { ...setting.peek(), j, k } }}>{one.alerts.toLocaleString('en')}{one.missed.length > 0 && '!'}</button></td>
          })}</tr>
        ))}</tbody>
      </table></div>
      {model.incidents.length > 0 && <p class="dim">! misses an incident.</p>}
    </details>
  )
}

// --- the page -----------------------------------------------------------------------------

function Expression({ model, setting }: { model: Model; setting: Signal<Setting> }) {
  const { answer } = model
  const { j, k } = setting.value
  const value = answer.thresholds[j] ?? 0
  const changed = exprWith(answer.rule.expr, model.choice, value)
  // What is moved is marked where there is one place of it.
  const place = model.choice.places.length === 1 && model.choice.way !== 'vectors' ? model.choice.places[0] : undefined
  const bytes = new TextEncoder().encode(answer.rule.expr)
  const text = new TextDecoder()
  return (
    <div>
      <p class="tune-expr">{place ? <>{text.decode(bytes.slice(0, place.start))}<mark>{value}</mark>{text.decode(bytes.slice(place.end))}</> : changed} <span class="for">for {formatDuration(forMs(answer, k))}</span></p>
      <p class="dim">{model.choice.words.charAt(0).toUpperCase() + model.choice.words.slice(1)}.</p>
    </div>
  )
}

function Tuned({ id, answer, question, onSaved }: { id: string; answer: Tuning; question: Record<string, unknown>; onSaved: () => void }) {
  const model = useMemo(() => modelOf(answer), [answer])
  const setting = useSignal<Setting>(settingOf(answer))
  const [rested, setRested] = useState<Setting>(setting.peek())
  const [asked, setAsked] = useState<Window | null>(null)
  const weeks = (Date.parse(answer.to) - Date.parse(answer.from)) / (7 * DAY)
  const at = Number(query('at')) || null
  const phone = innerWidth < 600
  const ownAlerts = useMemo(() => readout(model, ownOf(model), isNight).alerts, [model])

  // The same place of another answer: its grid may be another one.
  useEffect(() => { setting.value = settingOf(answer) }, [answer])
  useSignalEffect(() => {
    const resting = setting.value
    if (hand.value) return undefined
    const timer = setTimeout(() => {
      setRested(resting)
      const threshold = answer.thresholds[resting.j]
      const isOwn = resting.j === answer.now.threshold && resting.k === answer.now.for
      setQuery({ t: isOwn || model.choice.way === 'presence' ? '' : String(threshold), for: isOwn ? '' : formatDuration(forMs(answer, resting.k)), keep: resting.keepMs === answer.rule.keep_firing_for_ms ? '' : formatDuration(resting.keepMs) })
      if (document.activeElement?.closest('.tune')) announce(spokenWords(model, resting, readout(model, resting, isNight)))
    }, REST_MS)
    return () => clearTimeout(timer)
  })
  const read = useMemo(() => computed(() => readout(model, setting.value, isNight)), [model, zone.value])
  const settled = useMemo(() => computed(() => sameSetting(setting.value, rested)), [rested])
  const type = (threshold: number) => {
    const nearest = nearestThreshold(answer, threshold)
    if (answer.thresholds[nearest] === threshold) setting.value = { ...setting.peek(), j: nearest }
    else setQuery({ t: String(threshold), for: formatDuration(forMs(answer, setting.peek().k)), ask: String(threshold) })
  }
  useKey('s', 'Look at the suggestion', () => { if (answer.suggestion) setting.value = { ...setting.peek(), j: answer.suggestion.threshold, k: answer.suggestion.for } }, 'Here', answer.suggestion !== null)
  useKey('o', 'Back to the rule as it is', () => { setting.value = ownOf(model) })
  useKey('m', 'To the map of all settings', () => document.querySelector<HTMLElement>('.tune-heat')?.focus())
  useKey('l', 'To the threshold line', () => document.querySelector<HTMLElement>('.tune-line')?.focus())
  const label = (window: Window) => { setQuery({ inc: writeWindows([...readWindows(query('inc')), window]) }, { push: true }); setAsked(null) }

  const body = { ...question, choice: answer.choice, threshold: answer.thresholds[rested.j], for_ms: forMs(answer, rested.k), keep_firing_for_ms: rested.keepMs }
  const isThere = answer.n_series > 0
  const episodes = useEpisodes(isThere ? body : null)
  const told = useMemo(() => toldOf(model, episodes, rested), [model, episodes.value, episodes.fresh, rested])
  const pages = usePages(body, model, isThere ? rested : null)
  const isOwn = sameSetting(rested, ownOf(model))
  const otherPages = usePages(body, model, isThere && !isOwn ? ownOf(model) : null)
  const chosen = query('alert')
  const episode = chosenOf(episodes.value, chosen)
  if (answer.n_series === 0) return <NothingThere answer={answer} id={id} body={body} model={model} />
  return (
    <>
      <OverDrill answer={answer} />
      <Expression model={model} setting={setting} />
      <Reads model={model} setting={setting} read={read} rested={rested} pages={pages} ownPages={isOwn ? pages.value : otherPages.value} />
      <Panel label="The past">
        <Controls model={model} setting={setting} onType={type} />
        <TuneGraph model={model} setting={setting} height={phone ? 260 : 320} told={told} atMs={at === null ? null : at * 1000} onWindow={setAsked} onPick={(ms) => setQuery({ at: String(Math.round(ms / 1000)) })} />
        <p class="tune-legend"><span><i class="firing" />would have fired</span><span><i class="pending" />waited</span>{model.incidents.length > 0 && <span><i class="bad" />it was bad</span>}{answer.gaps.length > 0 && <span><i class="gap" />nothing was collected</span>}
          <span>{seriesWords(model)}</span>
          {answer.ingest_lag_ms > 0 && <span>as it was known then: each evaluation saw what had come {formatDuration(answer.ingest_lag_ms)} before it</span>}
          <span title={model.choice.words}>{(answer.n_steps - answer.first_step).toLocaleString('en')} evaluations, every {formatDuration(answer.step_ms)}</span>
          <span>Drag across: it was bad then. Click: why did it fire, or not?</span></p>
        <Spans model={model} rested={rested} told={told} />
        {asked && <p class="tune-ask" role="group" aria-label="The marked time"><b>{formatShort(asked.fromMs, now.peek(), zone.value)} to {formatShort(asked.toMs, now.peek(), zone.value)}</b>
          <button type="button" class="primary" onClick={() => label(asked)}>It was bad then</button>
          <button type="button" onClick={() => { setQuery({ from: new Date(asked.fromMs).toISOString(), to: new Date(asked.toMs).toISOString() }, { push: true }); setAsked(null) }}>Zoom in</button>
          <button type="button" class="quiet" onClick={() => setAsked(null)}>Never mind</button></p>}
      </Panel>
      {at !== null && <Explained body={body} atMs={at * 1000} model={model} onClose={() => setQuery({ at: '' })} />}
      <div class="tune-halves">
        <div class="tune-column">
          <Panel title="Every setting" aside={<span class="dim">alerts, by threshold and for</span>}>
            <TuneHeat model={model} setting={setting} perWeek={1 / weeks} read={read} />
            <p class="tune-keys"><span><b>□</b> here</span><span><b>×</b> as it is</span>{answer.suggestion && <span><b>☆</b> suggested</span>}{model.incidents.length > 0 && <span><span class="line" />inside: an incident is found</span>}</p>
            <SurfaceTable model={model} setting={setting} />
          </Panel>
          <Alerts asked={episodes} body={body} model={model} rested={rested} chosen={chosen} onChoose={(key) => setQuery({ alert: key })} />
          <Incidents id={id} model={model} rested={rested} answer={answer} asked={episodes} />
          <Hysteresis id={id} body={body} model={model} alerts={ownAlerts} onSaved={onSaved} />
          <Outages body={body} model={model} />
        </div>
        <div class="tune-column">
          {!answer.drill && <Noisy model={model} own={ownOf(model)} setting={setting} />}
          <Suggestion model={model} setting={setting} />
          {episode && <Told body={episodes.fresh ? body : null} episode={episode} />}
          <RuleText id={id} asked={episodes} episode={episode} body={body} model={model} settled={settled} />
          <Pages asked={pages} />
        </div>
      </div>
    </>
  )
}

/** What is drawn, and what is shaded with it. */
function seriesWords({ answer, choice, lines, runs, complete }: Model): string {
  const drawn = lines.length === 0 ? ', no line of it can be drawn' : lines.length < answer.n_drawn ? `, the ${lines.length} loudest drawn` : ''
  const what = choice.way === 'again' ? `${count(answer.n_drawn, 'series', 'series')} within${drawn}; alerts of ${count(answer.n_series, 'series', 'series')}` : `${count(answer.n_series, 'series', 'series')}${drawn}`
  if (complete) return what
  return `${what}${runs.length ? `; ${(answer.n_series - runs.length).toLocaleString('en')} are shaded when the hand rests` : '; shaded when the hand rests'}`
}

function NothingThere({ answer, id, body, model }: { answer: Tuning; id: string; body: Record<string, unknown>; model: Model }) {
  if (model.choice.way === 'presence') {
    return (
      <>
        <OverDrill answer={answer} />
        <Empty icon="check" title="It would not have fired in this time">
          <p>The rule was evaluated at {(answer.n_steps - answer.first_step).toLocaleString('en')} moments, and what it asks for was true at none. {answer.drill ? 'Take the rule’s own past' : 'Take another time above'}, or <a href={`/rules/${id}`}>go back to the rule</a>.</p>
        </Empty>
        <Outages body={body} model={model} />
        {!answer.drill && <Panel label="Drills"><TryDrills id={id} /></Panel>}
      </>
    )
  }
  return (
    <>
      <OverDrill answer={answer} />
      <Empty icon="question" title={answer.warnings.length > 0 ? 'Nothing of what could be read has a value' : 'Nothing of it has a value in this time'}>
        <p>The rule was evaluated at {(answer.n_steps - answer.first_step).toLocaleString('en')} moments, and what it compares was there at none: {answer.warnings.length > 0 ? 'it may lie in what could not be read, or its metrics are called otherwise.' : 'either its metrics are called otherwise, or they came later.'} <a href={`/explore?expr=${encodeURIComponent(answer.choices[answer.choice - 1]?.expr ?? answer.rule.expr)}`}>Look for them</a>, take {answer.drill ? 'the rule’s own past' : 'another time above'}, or <a href={`/rules/${id}`}>go back to the rule</a>.</p>
      </Empty>
      {!answer.drill && <Panel label="Drills"><TryDrills id={id} /></Panel>}
    </>
  )
}

export function Tune({ id }: { id: string }) {
  const [answer, setAnswer] = useState<{ data: Tuning; question: Record<string, unknown> } | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  const [busy, setBusy] = useState(true)
  const [again, setAgain] = useState(0)
  adopt(sheet)
  // A minute's clock, so that coming back asks the same question.
  const nowMs = useMemo(() => Math.floor(Date.now() / MINUTE) * MINUTE, [again])
  const question = questionOf(id, nowMs)
  const key = JSON.stringify([question, query('ask'), again])
  useEffect(() => {
    if (!question) return undefined
    const stop = new AbortController()
    setBusy(true)
    call<Tuning>('/api/alertd/v1/tunings', { json: { ...question, ...typedSetting() }, signal: stop.signal, limitMs: 40_000 })
      .then((data) => { setAnswer({ data, question }); setError(null) })
      .catch((reason: ApiError) => { if (reason.type !== 'cancelled') setError(reason) })
      .finally(() => { if (!stop.signal.aborted) setBusy(false) })
    return () => stop.abort()
  }, [key])
  const name = answer?.data.rule.name
  pageTitle.value = name ? `Tune ${name}` : 'Tune'
  const from = query('from') || 'now-30d'
  const isUsual = (query('to') || 'now') === 'now' && RANGES.some((one) => one.value === from)
  return (
    <div class="tune">
      <Page title={name ? `Tune ${name}` : 'Tune'} lead={<><a href="/rules">Rules</a> · <a href={`/rules/${id}`}>{name ?? `rule ${id}`}</a> {answer && <Severity severity={answer.data.rule.labels['severity']} />}{busy && answer && <span class="dim"> · reading …</span>}</>}
            actions={!isDrill() && <Chips name="Time" value={isUsual ? from : ''} choices={isUsual ? RANGES : [...RANGES, { value: '', words: 'chosen' }]} onChoose={(value) => { if (value) setQuery({ from: value === 'now-30d' ? '' : value, to: '' }, { push: true }) }} />}>
        {!question && <Trouble error={new ApiError(400, 'bad_data', 'the times in the address are none')} what="Nothing was asked" retry={() => go(`/rules/${id}/tune`)} />}
        {error && <Trouble error={error} what={answer ? 'It could not be read anew; what is shown is older' : 'The rule could not be tried on its past'} retry={() => setAgain(again + 1)} />}
        {error && isDrill() && <p><a class="button" href={pastPath({})}>The rule’s own past</a></p>}
        {answer && <Missing warnings={answer.data.warnings} />}
        {answer ? <Tuned id={id} answer={answer.data} question={answer.question} onSaved={() => { setQuery({ two: '', t: '', for: '', keep: '' }); setAgain(again + 1) }} /> : !error && question && <Waiting rows={8} />}
      </Page>
    </div>
  )
}
