// Beside an incident's timeline: its moments and the figures made of them, where detection went;
// its services, what was changed before it, what is like it.

import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { ApiError, call, may, me } from '../app/api.ts'
import { incidentPath } from '../app/actions.ts'
import { changed, useData } from '../app/data.ts'
import { setMark, standingPath, tryRow } from '../app/record.ts'
import { now, zone } from '../app/settings.ts'
import { say } from '../app/toast.ts'
import { adopt } from '../ui/sheet.ts'
import type { RecordMark, RecordMarks, RecordMetrics, RecordSetting, Related, Rows, Service } from '../app/types.ts'
import { count } from '../lib/number.ts'
import { costWords, kindWords, parseAt } from '../lib/record.ts'
import record from '../style/record.later.css'
import { formatAge, formatExact, parseTime } from '../lib/time.ts'
import { Fold } from '../ui/fold.tsx'
import { Icon } from '../ui/icon.tsx'
import { Panel } from '../ui/parts.tsx'
import { Ago, Clock, Elapsed } from '../ui/time.tsx'

adopt(record)

export const marksPath = (key: string) => `${incidentPath(key)}/marks`

function MarkForm({ incidentKey, mark, done }: { incidentKey: string; mark: RecordMark; done: () => void }) {
  const [at, setAt] = useState(mark.at ? formatExact(parseTime(mark.at) ?? 0, zone.peek()).replace(/ UTC$/, '') : '')
  const [reason, setReason] = useState('')
  const atMs = parseAt(at, now.value, zone.value)
  const put = async (change: { at?: string | null; auto?: boolean }) => {
    const named = { name: mark.name, reason, ...(mark.scope ? { scope: mark.scope } : {}) }
    if (await setMark(incidentKey, { ...named, ...change })) done()
  }
  return (
    <form class="row-editor" onSubmit={(event) => { event.preventDefault(); if (atMs !== null) void put({ at: new Date(atMs).toISOString() }) }} onKeyDown={(event) => { if (event.key === 'Escape') done() }}>
      <label>When<input type="text" value={at} placeholder="14:02, or 2026-11-23 14:02" ref={(input) => { if (input && !input.dataset['seen']) { input.dataset['seen'] = '1'; input.focus() } }} onInput={(event) => setAt(event.currentTarget.value)} /></label>
      <label>Why<input type="text" value={reason} placeholder="what says so" onInput={(event) => setReason(event.currentTarget.value)} /></label>
      <p class="dim">{atMs === null ? `The rule: ${mark.machine.rule}` : <>will stand at <b>{formatExact(atMs, zone.value)}</b></>}</p>
      <p class="row-buttons">
        <button type="submit" class="primary" disabled={atMs === null}>Set</button>
        <button type="button" onClick={() => { void put({ at: null }) }}>Not known</button>
        {mark.set_by === 'person' && <button type="button" onClick={() => { void put({ auto: true }) }}>As the rule says</button>}
        <button type="button" onClick={done}>Cancel</button>
      </p>
    </form>
  )
}

function MarkLine({ incidentKey, mark }: { incidentKey: string; mark: RecordMark }) {
  const [editing, setEditing] = useState(false)
  const name = mark.name.replaceAll('_', ' ')
  return (
    <li>
      <p class="between">
        <span title={mark.machine.rule}>{name}{mark.set_by === 'person' && <small class="dim"> set by {mark.editor}</small>}</span>
        <span class="mark-time">{mark.known ? <>{mark.approx && '≈ '}<Clock at={mark.at} /></> : <span class="dim">not known</span>}
          {may('operate') && <button type="button" class="quiet" aria-label={`Set ${name}`} title={`Set ${name}`} onClick={() => setEditing(!editing)}><Icon name="note" size={14} /></button>}</span>
      </p>
      {mark.conflict && <p class="conflict"><Icon name="bang" size={13} /> The rule reads <Clock at={mark.machine.at} /></p>}
      {!mark.known && mark.why && <p class="dim small">{mark.why}</p>}
      {editing && <MarkForm incidentKey={incidentKey} mark={mark} done={() => setEditing(false)} />}
    </li>
  )
}

function Detection({ of }: { of: RecordMetrics['detection'] }) {
  return (
    <>
      {of.map((one) => (
        <div key={`${one.rule} ${one.rule_id}`} class="detection">
          <h3>Where detection of {one.rule} went</h3>
          <div class="detection-bar" aria-hidden="true">
            {one.parts.map((part, i) => part.share !== null && part.share > 0 && <i key={part.name} class={`part-${i}`} style={{ flexGrow: part.share }} />)}
          </div>
          <ul>{one.parts.map((part, i) => (
            <li key={part.name} title={part.why ?? part.formula}><i class={`part-${i}`} aria-hidden="true" />{part.name}<span class="num">{part.known ? part.text : <span class="dim">not known</span>}</span></li>
          ))}</ul>
        </div>
      ))}
    </>
  )
}

/** "detected after 2 min, acknowledged after 40 s": what one asks of an incident first. */
function digestOf(metrics: RecordMetrics | undefined): string {
  const known = (name: string) => metrics?.metrics.find((one) => one.name === name && one.known)?.text
  const parts = [['detected', known('ttd')], ['taken', known('tta')], ['resolved', known('ttr')]].filter(([, text]) => text)
  return parts.length > 0 ? parts.map(([what, text]) => `${what} after ${text}`).slice(0, 2).join(', ') : ''
}

const SET: Record<RecordSetting['state'], (one: RecordSetting) => ComponentChildren> = {
  at: (one) => <>set to {one.precision === 'approx' && '≈ '}<Clock at={one.at} /></>,
  unknown: () => 'said to be not known',
  auto: () => 'given back to its rule',
}

/** Who set which moment, and why: nothing that was said is gone. */
function History({ of }: { of: RecordSetting[] }) {
  if (of.length === 0) return null
  return (
    <details class="mark-history">
      <summary>{count(of.length, 'change')} by people</summary>
      <ol>{[...of].reverse().map((one) => (
        <li key={one.id}><p><b>{one.name.replaceAll('_', ' ')}</b>{one.scope && ` of ${one.scope}`} {SET[one.state](one)}</p>
          <p class="dim small">{one.editor}, <Ago at={one.set_at} />{one.reason && `: ${one.reason}`}</p></li>
      ))}</ol>
    </details>
  )
}

export function RecordFigures({ incidentKey, open }: { incidentKey: string; open: boolean }) {
  const marks = useData<RecordMarks>(marksPath(incidentKey), ['incident'], 30_000).value
  const metrics = useData<RecordMetrics>(`${incidentPath(incidentKey)}/metrics`, ['incident'], 60_000).value
  return (
    <Fold id="figures" title="Moments and figures" open={open} digest={digestOf(metrics)}>
      <ul class="aside-list marks">{marks?.marks.map((mark) => <MarkLine key={mark.name} incidentKey={incidentKey} mark={mark} />)}</ul>
      {marks && marks.impacts.length > 0 && (
        <>
          <h3 class="aside-title">Impact</h3>
          <ul class="aside-list">{marks.impacts.map((impact) => (
            <li key={impact.scope}><p class="between"><b>{impact.scope}</b><span>{impact.start.at ? <Elapsed from={impact.start.at} to={impact.end.at} /> : <span class="dim">not known</span>}{!impact.end.at && impact.start.at && <span class="dim"> so far</span>}</span></p>
              <p class="dim small"><Clock at={impact.start.at} none="not known" /> to <Clock at={impact.end.at} none="not known" /></p></li>
          ))}</ul>
        </>
      )}
      <h3 class="aside-title">Figures</h3>
      <ul class="aside-list record-figures">{metrics?.metrics.map((metric) => (
        <li key={metric.name} title={metric.formula}><p class="between"><span>{metric.title}</span><span class={metric.known ? 'num' : 'dim small'}>{metric.text}</span></p></li>
      ))}</ul>
      {metrics && <Detection of={metrics.detection} />}
      {marks && <History of={marks.history} />}
    </Fold>
  )
}

/** What its own samples teach: which setting, or which newer rule, would have told of it sooner, and at what price. */
export function WouldHaveFired({ incidentKey, open }: { incidentKey: string; open: boolean }) {
  const path = `${incidentPath(incidentKey)}/metrics`
  const metrics = useData<RecordMetrics>(path, ['incident'], 60_000).value
  const [looking, setLooking] = useState(false)
  const look = async () => {
    setLooking(true)
    try {
      await call(`${incidentPath(incidentKey)}/look`, { method: 'POST' })
      changed('incident')
    } catch (error) {
      say(error instanceof ApiError ? error.message : String(error), 'bad')
    }
    setLooking(false)
  }
  if (!metrics) return null
  const { earlier, signals, looked_at: at, earlier_why: why } = metrics
  const best = earlier[0]
  const digest = !at ? 'nobody looked yet' : best?.seconds_earlier ? `${formatAge(best.seconds_earlier * 1000)} earlier at most` : 'nothing'
  return (
    <Fold id="earlier" title="What would have fired earlier" open={open && earlier.length > 0} digest={digest}>
      {earlier.length > 0 && <ul class="aside-list">{earlier.map((one, i) => (
        <li key={i}><p class="between"><a href={`/rules/${one.rule_id}`} title={one.query}>{one.rule}</a><span class="num">{one.seconds_earlier === null ? <Clock at={one.fired_at} /> : `${formatAge(one.seconds_earlier * 1000)} earlier`}</span></p>
          <p class="dim small">{one.setting}; in 30 days {costWords(one) ?? 'not counted'}</p></li>
      ))}</ul>}
      {at && earlier.length === 0 && <p class="dim pad">{metrics.rules_looked_at > 0 ? `None of ${count(metrics.rules_looked_at, 'rule')} with samples, and no other setting of those that fired.` : 'Not known: no live rule has samples of it.'}</p>}
      {signals.length > 0 && <><h3 class="aside-title">Held, and told nobody</h3><ul class="aside-list">{signals.map((one) => <li key={one.rule_id}><p class="between"><a href={`/rules/${one.rule_id}`}>{one.rule}</a><span>since <Clock at={one.breach_at} /></span></p></li>)}</ul></>}
      {why && <p class="dim pad small">Not all was looked at: {why}.</p>}
      <p class="pad between small dim"><span>{at ? <>looked <Ago at={at} /></> : 'Its own samples, and the rules of now.'}</span>{may('operate') && <button type="button" disabled={looking} onClick={() => { void look() }}>{looking ? 'Looking …' : at ? 'Look again' : 'Look'}</button>}</p>
    </Fold>
  )
}

/** Who leads, who talks: the newest row of each role counts. */
export function Roles({ incidentKey }: { incidentKey: string }) {
  const { value } = useData<Rows>(standingPath(incidentKey), ['incident'], 60_000)
  const roles = new Map<string, string>()
  for (const row of value?.events ?? []) if (row.kind === 'incident.role' && typeof row.data?.['role'] === 'string') roles.set(row.data['role'], row.actor ?? '')
  const name = me.value?.name ?? 'me'
  const take = (role: string) => { void tryRow(incidentKey, { kind: 'incident.role', role, text: `${name} takes the role ${role}` }) }
  return (
    <p class="roles">
      {['lead', 'communications'].map((role) => (
        <span key={role}><span class="dim">{role}</span> {roles.get(role) ?? <span class="dim">nobody</span>}
          {may('operate') && roles.get(role) !== name && <button type="button" class="quiet" onClick={() => take(role)}>Take</button>}</span>
      ))}
    </p>
  )
}

export function ServiceCard({ service }: { service: Service }) {
  const { spec } = service
  const links = [...(spec.runbooks ?? []), ...(spec.dashboards ?? [])].filter(({ url }) => /^(https?:\/\/|\/)/.test(url))
  return (
    <div class="service-card">
      <p class="between"><b><a href={`/services/${encodeURIComponent(service.name)}`}>{service.name}</a></b><span class="dim">{spec.tier ? `tier ${spec.tier}` : ''}</span></p>
      {spec.owner && <p class="dim">of {spec.owner}</p>}
      {spec.when_down && <p><b>When it is down:</b> {spec.when_down}</p>}
      {spec.depends_on && spec.depends_on.length > 0 && <p>Needs {spec.depends_on.map((name, i) => <>{i > 0 && ', '}<a key={name} href={`/services/${encodeURIComponent(name)}`}>{name}</a></>)}</p>}
      {links.length > 0 && <ul>{links.map(({ url, title }) => <li key={url}><a href={url} {...(url.startsWith('/') ? {} : { target: '_blank', rel: 'noreferrer' })}>{title ?? url}</a></li>)}</ul>}
    </div>
  )
}

function beforeWords(ms: number | null): string {
  if (ms === null) return ''
  return ms >= 0 ? `${formatAge(ms)} before the impact` : `${formatAge(-ms)} into the impact`
}

export function ServiceCards({ related }: { related: Related }) {
  return (
    <Panel id="services" title={related.services.length === 1 ? 'The service' : 'Services'}>
      {related.services.map((service) => <ServiceCard key={service.name} service={service} />)}
      {related.slos.length > 0 && <ul class="aside-list">{related.slos.map((slo) => (
        <li key={`${slo.service} ${slo.name}`} title={slo.formula}><p class="between"><span>{slo.name} {100 * slo.objective} % of {slo.window}</span>
          <span class="num">{slo.known && slo.burnt_ratio !== null ? `${(100 * slo.burnt_ratio).toPrecision(2)} % of the budget burnt` : <span class="dim">not known</span>}</span></p>
          {slo.warnings.map((words) => <p key={words} class="small warn-ink"><Icon name="alarm" size={14} /> Not all of it could be read: {words}</p>)}</li>
      ))}</ul>}
    </Panel>
  )
}

const CHANGES_SHOWN = 4

function ChangeRow({ change }: { change: Related['changes'][number] }) {
  return <li><p>{change.text}</p><p class="dim small"><Clock at={change.occurred_at} /> · {kindWords(change.kind)} · {beforeWords(change.before_impact_ms)}{change.actor && <> · {change.actor}</>}</p></li>
}

/** Those nearest to the impact first: they are what one asks about. */
export function ChangesBefore({ changes }: { changes: Related['changes'] }) {
  const near = [...changes].sort((a, b) => Math.abs(a.before_impact_ms ?? 0) - Math.abs(b.before_impact_ms ?? 0))
  const rest = near.slice(CHANGES_SHOWN)
  const [open, setOpen] = useState(false)
  return (
    <Panel id="changes" title="Changed just before">
      <ul class="aside-list">{near.slice(0, CHANGES_SHOWN).map((change) => <ChangeRow key={change.id} change={change} />)}</ul>
      {rest.length > 0 && <details class="more-rows" onToggle={(event) => setOpen(event.currentTarget.open)}><summary>{rest.length} more within a day</summary>{open && <ul class="aside-list">{rest.map((change) => <ChangeRow key={change.id} change={change} />)}</ul>}</details>}
    </Panel>
  )
}

export function SeenBefore({ similar }: { similar: Related['similar'] }) {
  return (
    <Panel title="Seen before">
      <ul class="aside-list">{similar.slice(0, 5).map((one) => (
        <li key={one.key}><a href={`/i/${one.key}`}>{one.title}</a>
          <p class="dim small"><Ago at={one.opened_at} />, lasted <Elapsed from={one.opened_at} to={one.resolved_at} /> · {one.why}{one.postmortem !== null && <> · <a href={`/pm/${one.postmortem}`}>postmortem</a></>}</p></li>
      ))}</ul>
    </Panel>
  )
}
