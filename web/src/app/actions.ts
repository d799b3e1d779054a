// What a person does to an incident.
//
// An acknowledgement is shown at once and asked of alertd at the same time: a page must stop
// now, and a second one is harmless. A refusal puts the page back and says why. A resolve
// waits five seconds for its undo: the incident is open until alertd said otherwise.

import { signal } from '@preact/signals'
import { ApiError, call } from './api.ts'
import { changed, peek, put } from './data.ts'
import { later, say } from './toast.ts'
import type { Incident, IncidentDetail, Overview, Said, Verdict } from './types.ts'

const OVERVIEW = '/api/alertd/v1/overview'
export const incidentPath = (key: string) => `/api/alertd/v1/incidents/${encodeURIComponent(key)}`
/** All of it but its timeline, which is shown a window at a time. */
export const incidentData = (key: string) => `${incidentPath(key)}?timeline=0`

function words(error: unknown): string {
  return error instanceof ApiError ? error.message : String(error)
}

/** Changes what is shown of an incident, wherever it is shown. */
function show(key: string, change: Partial<Incident>): void {
  put<IncidentDetail>(incidentData(key), (old) => ({ ...old, ...change }))
  put<Overview>(OVERVIEW, (old) => ({
    ...old,
    open_incidents: old.open_incidents
      .map((one) => (one.key === key ? { ...one, ...change } : one))
      .filter((one) => one.status !== 'resolved'),
  }))
}

export async function acknowledge(key: string, who: string | null): Promise<void> {
  const before = peek<IncidentDetail>(incidentData(key)) ?? peek<Overview>(OVERVIEW)?.open_incidents.find((one) => one.key === key)
  if (before && before.status !== 'triggered') {
    say(`${key} is already ${before.status}${before.acknowledged_by ? ` by ${before.acknowledged_by}` : ''}`)
    return
  }
  show(key, { status: 'acknowledged', acknowledged_at: new Date().toISOString(), acknowledged_by: who })
  try {
    await call(`${incidentPath(key)}/ack`, { json: {} })
    say(`Acknowledged ${key}: paging stops`, 'ok')
  } catch (error) {
    if (before) show(key, before)
    say(`${key} could not be acknowledged: ${words(error)}`, 'bad')
  }
  changed('incident', key)
}

/** Incidents whose resolve waits for its undo to run out. */
export const resolving = signal<ReadonlySet<string>>(new Set())

function setResolving(key: string, on: boolean): void {
  const next = new Set(resolving.peek())
  if (on) next.add(key)
  else next.delete(key)
  resolving.value = next
}

export function resolve(key: string): void {
  if (resolving.peek().has(key) || peek<IncidentDetail>(incidentData(key))?.status === 'resolved') return
  setResolving(key, true)
  later(`${key} will be resolved`, () => {
    call<Incident>(`${incidentPath(key)}/resolve`, { json: {}, keepalive: true })
      .then(({ status, resolved_at, resolved_by }) => {
        show(key, { status, resolved_at, resolved_by })
        say(`Resolved ${key}`, 'ok')
      })
      .catch((error: unknown) => say(`${key} could not be resolved: ${words(error)}`, 'bad'))
      .finally(() => {
        setResolving(key, false)
        changed('incident', key)
      })
  }, () => setResolving(key, false))
}

export async function addNote(key: string, text: string, occurredAt: string | null): Promise<void> {
  await call(`${incidentPath(key)}/notes`, { json: occurredAt ? { text, occurred_at: occurredAt } : { text } })
  changed('incident', key)
}

/** Another choice is the undo: of one person the newest counts. */
export async function judge(key: string, verdict: Verdict, reason = ''): Promise<void> {
  try {
    const { verdicts } = await call<{ verdicts: (Said & { counts: boolean })[] }>(`${incidentPath(key)}/verdict`, { json: reason ? { verdict, reason } : { verdict } })
    put<IncidentDetail>(incidentData(key), (old) => ({ ...old, verdicts: verdicts.filter((one) => one.counts) }))
  } catch (error) {
    say(`What ${key} was worth could not be said: ${words(error)}`, 'bad')
  }
  changed('incident', key)
}
