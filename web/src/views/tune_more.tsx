// The tuner's panels that are asked for: the smallest outage a setting catches, by faults put into what
// the rule reads; and the rule as one that fires above one threshold and clears below another.

import { useState } from 'preact/hooks'
import { ApiError, call, may } from '../app/api.ts'
import { query, setQuery } from '../app/router.ts'
import { say } from '../app/toast.ts'
import { count, formatValue } from '../lib/number.ts'
import { formatAge, formatDuration } from '../lib/time.ts'
import type { Model } from '../lib/tune.ts'
import { Panel, Trouble } from '../ui/parts.tsx'
import { type Body, copyText, useAsked, withoutColumns } from './tune_parts.tsx'

// --- the smallest outage --------------------------------------------------------------------

interface Faults {
  kind: string; input: string | null; is_counter: boolean; inputs: string[]; kinds: string[]; usual: number | null; places: number
  magnitudes: { value: number; words: string }[]; durations_ms: number[]
  cells: { tried: number; caught: number; median_delay_ms: number; p90_delay_ms: number }[]
  least: { magnitude: number; duration: number } | null
  words: string
}

const KIND_WORDS: Record<string, string> = {
  set: 'is set to', add: 'is more by', scale: 'is so many times', ramp: 'climbs by', spike: 'leaps once by',
  freeze: 'stands still', drop: 'ends', gap: 'comes no more', reset: 'begins anew at 0',
}
const COMPARED = 'compared' // of the address: not a series that is read but what is compared

/** One in how many of such outages is caught, by size and length: a picture that is a table. */
function OutageMap({ value }: { value: Faults }) {
  const n = value.durations_ms.length
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Outages caught"><table class="list tune-outages">
      <caption class="hidden">Of 100 outages how many are caught, by size and by how long they last</caption>
      <thead><tr><th scope="col">for</th>{value.durations_ms.map((ms) => <th key={ms} scope="col">{formatDuration(ms)}</th>)}</tr></thead>
      <tbody>{value.magnitudes.map((one, j) => (
        <tr key={j}><th scope="row">{one.words}</th>{value.cells.slice(j * n, (j + 1) * n).map((cell, k) => {
          const share = cell.tried ? cell.caught / cell.tried : 0
          const isLeast = value.least?.magnitude === j && value.least.duration === k
          const words = cell.tried === 0 ? 'it fires by itself in that time' : `${cell.caught} of ${cell.tried} are caught${cell.caught ? `, half of them within ${formatAge(cell.median_delay_ms)}, nine of ten within ${formatAge(cell.p90_delay_ms)}` : ''}`
          return <td key={k} class={isLeast ? 'least' : ''} title={words} style={{ '--share': `${Math.round(share * 100)}%` }}>{cell.tried === 0 ? '–' : Math.round(share * 100)}</td>
        })}</tr>
      ))}</tbody>
    </table></div>
  )
}

/** The address holds what is put where: fault=KIND, into=SERIES. */
export function Outages({ body, model }: { body: Body; model: Model }) {
  const kind = query('fault')
  const into = query('into')
  const isCompared = model.choice.way !== 'presence' && model.choice.way !== 'again'
  const { value, error, fresh, retry } = useAsked<Faults>('/api/alertd/v1/tunings/faults', kind === '' ? null : { ...withoutColumns(body), ...(kind === 'any' ? {} : { kind }), ...(into === '' ? {} : { input: into === COMPARED ? '' : into }) })
  if (kind === '') {
    return (
      <Panel title="The smallest outage it catches"><div class="suggest">
        <p>Without waiting for one: faults are put into copies of what the rule reads, at a hundred places of this time, larger and longer each.</p>
        <div class="row"><button type="button" onClick={() => setQuery({ fault: 'any' })}>Put faults into it</button></div>
      </div></Panel>
    )
  }
  return (
    <Panel title="The smallest outage it catches" aside={<button type="button" class="quiet" onClick={() => setQuery({ fault: '', into: '' })}>Enough</button>}>
      {error && <Trouble error={error} what="No fault could be put into it" retry={retry} />}
      {value && <div class="tune-controls">
        <label>What
          <select value={value.input ?? COMPARED} onChange={(event) => setQuery({ into: event.currentTarget.value, fault: 'any' })}>
            {value.inputs.map((one) => <option key={one} value={one}>{one === '*' ? 'all that it reads' : one}</option>)}
            {isCompared && <option value={COMPARED}>what is compared</option>}
          </select></label>
        <label>Becomes of it
          <select value={value.kind} onChange={(event) => setQuery({ fault: event.currentTarget.value })}>
            {value.kinds.map((one) => <option key={one} value={one}>{KIND_WORDS[one] ?? one}</option>)}
          </select></label>
      </div>}
      {value && <div class={fresh ? '' : 'gone'}>
        <p class="pad tune-outage-words">{value.words}</p>
        {value.places > 0 && <><OutageMap value={value} />
          <p class="foot dim">Of 100 how many are caught, at {count(value.places, 'place')} of this time where it does not fire anyway; the framed is the smallest.{value.usual !== null && ` Usual is ${formatValue(value.usual)}${value.is_counter ? ' a second' : ''}.`}</p></>}
      </div>}
      {!value && !error && <p class="pad dim">Faults are being put into it …</p>}
    </Panel>
  )
}

// --- firing above one, clearing below another -------------------------------------------------

interface Written { none: string | null; fires_at?: number; clears_at?: number; alerts?: number; expr?: string; yaml?: string; run_alerts?: number }

/** The standard form, which any Prometheus loads; what it would have done is told by evaluating it. */
function HysteresisText({ id, version, alerts, value, isUp, onSaved }: { id: string; version: number; alerts: number; value: Written; isUp: boolean; onSaved: () => void }) {
  const [problem, setProblem] = useState<ApiError | null>(null)
  if (value.none !== null || value.yaml === undefined) return <p>{value.none}</p>
  const yaml = value.yaml
  const save = async () => {
    try {
      const saved = await call<{ version: number }>(`/api/alertd/v1/rules/${encodeURIComponent(id)}`, { method: 'PUT', json: { yaml, version } })
      say(`Saved as version ${saved.version}: it is evaluated from now on`, 'ok')
      onSaved()
    } catch (reason) { setProblem(reason as ApiError) }
  }
  return (
    <>
      <p>Fires {isUp ? 'above' : 'below'} <b>{value.fires_at}</b>, at once, and is over {isUp ? 'below' : 'above'} <b>{value.clears_at}</b>: {count(value.alerts ?? 0, 'alert')} instead of {alerts.toLocaleString('en')}.{' '}
        {value.run_alerts === undefined ? <span class="dim">Counted; the time is too long to run it step by step.</span>
          : value.run_alerts === value.alerts ? <span class="ok-ink">Run step by step with its own ALERTS in sight it fires as often.</span>
            : <span class="bad-ink">Run step by step it fires {value.run_alerts} times, which is not what was counted.</span>}</p>
      <pre class="code tune-yaml" tabIndex={0} aria-label="The rule with two thresholds">{yaml}</pre>
      {problem && <Trouble error={problem} what={problem.status === 409 ? 'Not saved' : 'That did not work'} />}
      <div class="row">
        <button type="button" disabled={!may('admin')} title={may('admin') ? '' : 'Only an admin may change rules'} onClick={() => { void save() }}>Save it as a new version</button>
        <button type="button" onClick={() => { void copyText(yaml, 'YAML') }}>Copy it as YAML</button>
      </div>
    </>
  )
}

/** A second, easier threshold at which it ends. The address says that it is open: two=1. */
export function Hysteresis({ id, body, model, alerts, onSaved }: { id: string; body: Body; model: Model; alerts: number; onSaved: () => void }) {
  const { answer } = model
  const isOpen = query('two') === '1'
  const { value, error, retry } = useAsked<Written>('/api/alertd/v1/tunings/hysteresis', isOpen ? withoutSetting(body) : null)
  if (answer.hysteresis.length === 0 || model.choice.way === 'presence' || model.choice.way === 'again') return null
  return (
    <Panel title="Two thresholds" aside={isOpen && <button type="button" class="quiet" onClick={() => setQuery({ two: '' })}>Enough</button>}><div class="suggest">
      {!isOpen && <>
        <p>Firing above one threshold and clearing only below another, it flaps less. Prometheus has no field for it; it is written with the rule’s own ALERTS, so that any Prometheus loads it.</p>
        <div class="row"><button type="button" onClick={() => setQuery({ two: '1' })}>Find the two and write it</button></div>
      </>}
      {isOpen && error && <Trouble error={error} what="It could not be written" retry={retry} />}
      {isOpen && value && <HysteresisText id={id} version={answer.rule.version} alerts={alerts} value={value} isUp={model.choice.op.startsWith('>')} onSaved={onSaved} />}
      {isOpen && !value && !error && <p class="dim">Being found, and run …</p>}
    </div></Panel>
  )
}

const withoutSetting = ({ threshold: _t, for_ms: _f, keep_firing_for_ms: _k, columns: _c, ...rest }: Body): Body => rest
