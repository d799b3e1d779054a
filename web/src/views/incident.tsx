// One incident: run it, and record it as it happens. In the order of need at three in the morning:
// what it is and what to do about it (head), what happened (lanes and graphs), what was seen and
// done (note box, timeline); beside it what to know, and folded what can wait.

import { useEffect, useRef } from 'preact/hooks'
import { acknowledge, incidentData, resolve } from '../app/actions.ts'
import { may, me } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { useKey } from '../app/keyboard.ts'
import { go } from '../app/router.ts'
import type { Incident as Head, IncidentDetail } from '../app/types.ts'
import { Empty, Shown } from '../ui/parts.tsx'
import { Aside, Jumps } from './incident_aside.tsx'
import { HappenedPanel, useRelated } from './incident_axis.tsx'
import { Header } from './incident_head.tsx'
import { ShadowedBy } from './incident_shadows.tsx'
import { Timeline, type NoteHandle } from './timeline.tsx'

export function Incident({ id }: { id: string }) {
  const data = useData<IncidentDetail>(incidentData(id), ['incident', 'alerts'], 15_000)
  const list = useData<{ incidents: Head[] }>('/api/alertd/v1/incidents?status=all&limit=50', ['incident']).value?.incidents ?? []
  const related = useRelated(id)
  const note = useRef<NoteHandle>(null)
  const incident = data.value
  pageTitle.value = incident ? `${incident.key} ${incident.title}` : id
  const at = list.findIndex((one) => one.key === id)
  const neighbours = { before: list[at - 1]?.key ?? null, after: at < 0 ? null : list[at + 1]?.key ?? null }
  const canAct = may('operate') && incident !== undefined

  useKey('a', 'Acknowledge', () => { void acknowledge(id, me.value?.name ?? null) }, 'This incident', canAct && incident.status === 'triggered')
  useKey('r', 'Resolve (undo with u)', () => resolve(id), 'This incident', canAct && incident.status !== 'resolved')
  useKey('n', 'Write a note', () => note.current?.focus(), 'This incident', canAct)
  useKey('[', 'Previous incident', () => { if (neighbours.before) go(`/i/${neighbours.before}`) }, 'This incident')
  useKey(']', 'Next incident', () => { if (neighbours.after) go(`/i/${neighbours.after}`) }, 'This incident')
  useEffect(() => {
    if (incident && canAct && matchMedia('(pointer: fine)').matches && document.activeElement?.id === 'main') note.current?.focus()
  }, [incident === undefined])

  if (data.error?.status === 404) return <Empty icon="incidents" title={`There is no incident ${id}`}><p><a href="/i">All incidents</a></p></Empty>
  return (
    <Shown data={data} what={`${id} could not be read`}>{(shown) => (
      <div class="incident-page">
        <Header incident={shown} neighbours={neighbours} />
        <ShadowedBy incidentKey={shown.key} />
        <Jumps incident={shown} related={related} />
        <div class="columns">
          <div class="column-main">
            <HappenedPanel incident={shown} related={related} onPick={(atMs) => note.current?.at(atMs)} />
            <Timeline incidentKey={shown.key} note={note} />
          </div>
          <Aside incident={shown} related={related} />
        </div>
      </div>
    )}</Shown>
  )
}
