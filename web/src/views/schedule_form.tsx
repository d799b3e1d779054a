// A schedule's form: layers, turns, hand-offs, restrictions; beside it the next two weeks as they
// would be. Nothing is stored until it is saved; who saved meanwhile is never overwritten.

import { useEffect, useState } from 'preact/hooks'
import { ApiError, call } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { act, schedulePath, SCHEDULES } from '../app/roster.ts'
import { go } from '../app/router.ts'
import { now } from '../app/settings.ts'
import type { Lanes as LanesData, Layer, Person, Schedule, ScheduleSpec } from '../app/types.ts'
import { count } from '../lib/number.ts'
import { daysOf, wallText } from '../lib/roster.ts'
import { Field, Sure } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { Lanes } from '../ui/lanes.tsx'
import { Page, Panel } from '../ui/parts.tsx'

const DAYS = 14
const REST_MS = 300
const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']
const UNITS = { hours: 'hours', days: 'days', weeks: 'weeks', months: 'months', always: 'no turns: the first, always' }

const zones: string[] = (Intl as unknown as { supportedValuesOf?: (key: string) => string[] }).supportedValuesOf?.('timeZone') ?? []

function newLayer(n: number, zone: string): Layer {
  return { name: n === 0 ? 'turns' : `layer ${n + 1}`, level: 0, rotation: { unit: 'weeks', every: 1, first_turn: `${wallText(now.peek(), zone).slice(0, 10)}T09:00`, people: [] } }
}

/** What would be, a moment after the last change; the words of what is wrong in it else. */
function usePreview(spec: ScheduleSpec) {
  const [lanes, setLanes] = useState<LanesData | null>(null)
  const [wrong, setWrong] = useState('')
  const text = JSON.stringify(spec)
  const ready = spec.layers.every((layer) => layer.shifts !== undefined || (layer.rotation?.people.length ?? 0) > 0)
  useEffect(() => {
    if (!ready) return undefined
    const asked = new AbortController()
    const timer = setTimeout(() => {
      const days = daysOf(now.peek(), DAYS, spec.zone)
      const span = `from=${new Date(days[0]?.fromMs ?? 0).toISOString()}&to=${new Date(days.at(-1)?.toMs ?? 0).toISOString()}`
      call<LanesData>(`${SCHEDULES}/preview?${span}`, { json: { ...spec, name: spec.name || 'preview' }, signal: asked.signal })
        .then((answer) => { setLanes(answer); setWrong('') })
        .catch((error: ApiError) => { if (error.type !== 'cancelled') setWrong(error.message) })
    }, REST_MS)
    return () => { clearTimeout(timer); asked.abort() }
  }, [text])
  return { lanes, wrong }
}

function Turns({ layer, people, onChange }: { layer: Layer; people: Person[]; onChange: (layer: Layer) => void }) {
  const rotation = layer.rotation
  if (!rotation) return <p class="dim">{count(layer.shifts?.length ?? 0, 'fixed turn')} from a calendar. They stay as they are.</p>
  const set = (change: Partial<typeof rotation>) => onChange({ ...layer, rotation: { ...rotation, ...change } })
  const move = (i: number, by: number) => {
    const next = [...rotation.people]
    const [one] = next.splice(i, 1)
    next.splice(i + by, 0, one ?? null)
    set({ people: next })
  }
  const unit = (value: string) => {
    if (value === 'always') onChange({ ...layer, rotation: { unit: 'always', people: rotation.people } })
    else set({ unit: value as typeof rotation.unit, every: rotation.every ?? 1, first_turn: rotation.first_turn ?? newLayer(0, 'UTC').rotation?.first_turn ?? '' })
  }
  return (
    <>
      <div class="three">
        {rotation.unit !== 'always' && <Field label="Hand-off every"><input type="number" min={1} max={999} value={rotation.every ?? 1} onInput={(event) => set({ every: Number(event.currentTarget.value) })} /></Field>}
        <Field label="Unit"><select value={rotation.unit} onChange={(event) => unit(event.currentTarget.value)}>{Object.entries(UNITS).map(([value, words]) => <option key={value} value={value}>{words}</option>)}</select></Field>
        {rotation.unit !== 'always' && <Field label="First turn begins"><input type="datetime-local" value={(rotation.first_turn ?? '').slice(0, 16)} onInput={(event) => set({ first_turn: event.currentTarget.value })} /></Field>}
      </div>
      <fieldset><legend>Who takes turns, in this order</legend>
        <ol class="turn-list">
          {rotation.people.map((name, i) => (
            <li key={`${name ?? ''} ${i}`}><span class="grow">{i + 1}. {name ?? 'nobody'}</span>
              <button type="button" class="quiet" disabled={i === 0} aria-label={`${name ?? 'nobody'} earlier`} onClick={() => move(i, -1)}><Icon name="up" size={16} /></button>
              <button type="button" class="quiet" aria-label={`Without ${name ?? 'nobody'}`} onClick={() => set({ people: rotation.people.filter((_, at) => at !== i) })}><Icon name="cross" size={16} /></button></li>
          ))}
        </ol>
        <select value="" aria-label="Add somebody" onChange={(event) => { if (event.currentTarget.value) set({ people: [...rotation.people, event.currentTarget.value] }); event.currentTarget.value = '' }}>
          <option value="">Add …</option>{people.map((one) => <option key={one.name} value={one.name}>{one.full_name ?? one.name}</option>)}
        </select>
      </fieldset>
    </>
  )
}

function Restrictions({ layer, onChange }: { layer: Layer; onChange: (layer: Layer) => void }) {
  const windows = layer.windows ?? []
  const set = (i: number, change: Partial<(typeof windows)[number]>) => onChange({ ...layer, windows: windows.map((one, at) => (at === i ? { ...one, ...change } : one)) })
  return (
    <fieldset><legend>Only at these times {windows.length === 0 && <span class="dim">(none: always)</span>}</legend>
      {windows.map((window, i) => (
        <div key={i} class="window">
          <span class="weekdays" role="group" aria-label="On these days">
            {WEEKDAYS.map((day) => <label key={day} class="day"><input type="checkbox" aria-label={day} checked={window.weekdays.includes(day)} onChange={(event) => set(i, { weekdays: event.currentTarget.checked ? [...window.weekdays, day] : window.weekdays.filter((one) => one !== day) })} /><span aria-hidden="true">{day.slice(0, 2)}</span></label>)}
          </span>
          <input type="time" aria-label="From" value={window.from.slice(0, 5)} onInput={(event) => set(i, { from: event.currentTarget.value })} />
          <span class="dim">to</span>
          <input type="time" aria-label="To, on the next day when it is earlier" value={window.to === '24:00' ? '00:00' : window.to.slice(0, 5)} onInput={(event) => set(i, { to: event.currentTarget.value })} />
          <button type="button" class="quiet" aria-label="Without this time" onClick={() => onChange({ ...layer, windows: windows.filter((_, at) => at !== i) })}><Icon name="cross" size={16} /></button>
        </div>
      ))}
      <button type="button" onClick={() => onChange({ ...layer, windows: [...windows, { weekdays: WEEKDAYS.slice(0, 5), from: '09:00', to: '17:00' }] })}>Add a time</button>
    </fieldset>
  )
}

function LayerForm({ layer, people, onChange, onRemove }: { layer: Layer; people: Person[]; onChange: (layer: Layer) => void; onRemove: (() => void) | undefined }) {
  return (
    <section class="layer">
      <div class="two">
        <Field label="Layer"><input type="text" required maxLength={100} value={layer.name} onInput={(event) => onChange({ ...layer, name: event.currentTarget.value })} /></Field>
        <Field label="Level"><input type="number" min={0} max={100} value={layer.level} onInput={(event) => onChange({ ...layer, level: Number(event.currentTarget.value) })} /></Field>
      </div>
      <p class="dim form-hint">Of the layers that have somebody, those of the highest level are on call.</p>
      <Turns layer={layer} people={people} onChange={onChange} />
      <Restrictions layer={layer} onChange={onChange} />
      {onRemove && <button type="button" onClick={onRemove}>Remove this layer</button>}
    </section>
  )
}

export function ScheduleForm({ schedule, people }: { schedule: Schedule | null; people: Person[] }) {
  pageTitle.value = schedule ? `Edit ${schedule.name}` : 'New schedule'
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone
  const [revision] = useState(schedule?.revision) // the one that is edited: `schedule` follows what others save
  const [spec, setSpec] = useState<ScheduleSpec>(() => {
    if (!schedule) return { name: '', zone: here, layers: [newLayer(0, here)] }
    const { overrides: _, ...rest } = schedule.spec
    return rest
  })
  const [wrong, setWrong] = useState('')
  const preview = usePreview(spec)
  const layer = (i: number, next: Layer) => setSpec({ ...spec, layers: spec.layers.map((one, at) => (at === i ? next : one)) })
  const save = async (event: Event) => {
    event.preventDefault()
    const { title, ...rest } = spec
    const json = title?.trim() ? { ...rest, title: title.trim() } : rest
    const done = await act(`${spec.name} is saved`, () => (schedule
      ? call(`${schedulePath(schedule.name)}?revision=${revision}`, { method: 'PUT', json })
      : call(SCHEDULES, { json })), setWrong)
    if (done) go('/oncall')
  }
  const remove = async () => { if (schedule && await act(`${schedule.name} is deleted`, () => call(`${schedulePath(schedule.name)}?revision=${revision}`, { method: 'DELETE' }), setWrong)) go('/oncall') }
  return (
    <Page title={schedule ? `Edit ${schedule.title ?? schedule.name}` : 'New schedule'} lead={<a href="/oncall">Back without saving</a>}>
      <form class="stack" onSubmit={(event) => { void save(event) }}>
        <Panel title="The next two weeks, as they would be" label="Preview">
          <div class="preview">
            {preview.lanes ? <Lanes lanes={preview.lanes} zone={spec.zone} days={DAYS} only="final" /> : <p class="dim pad">It shows when somebody takes turns.</p>}
            <p class="form-wrong pad" aria-live="polite">{preview.wrong}</p>
          </div>
        </Panel>
        <Panel label="Schedule"><div class="form pad">
          <div class="three">
            <Field label="Name" hint={schedule ? 'It stays: policies refer to it.' : undefined}><input type="text" required disabled={schedule !== null} maxLength={100} value={spec.name} onInput={(event) => setSpec({ ...spec, name: event.currentTarget.value })} /></Field>
            <Field label="Title (optional)"><input type="text" maxLength={200} value={spec.title ?? ''} onInput={(event) => setSpec({ ...spec, title: event.currentTarget.value })} /></Field>
            <Field label="Time zone"><input type="text" required list="zones" value={spec.zone} onInput={(event) => setSpec({ ...spec, zone: event.currentTarget.value })} /></Field>
          </div>
          <datalist id="zones">{zones.map((name) => <option key={name} value={name} />)}</datalist>
          {spec.layers.map((one, i) => <LayerForm key={i} layer={one} people={people} onChange={(next) => layer(i, next)} onRemove={spec.layers.length > 1 ? () => setSpec({ ...spec, layers: spec.layers.filter((_, at) => at !== i) }) : undefined} />)}
          <div><button type="button" onClick={() => setSpec({ ...spec, layers: [...spec.layers, newLayer(spec.layers.length, spec.zone)] })}>Add a layer</button></div>
          {wrong && <p class="form-wrong" role="alert">{wrong}</p>}
          <div class="form-end">{schedule && <Sure words="Delete schedule" sure="Really delete it" onSure={() => { void remove() }} />}<button type="button" onClick={() => go('/oncall')}>Cancel</button><button type="submit" class="primary">Save</button></div>
        </div></Panel>
      </form>
    </Page>
  )
}
