// Deliveries: every page and notification, to whom, and what became of it.

import { useState } from 'preact/hooks'
import { call } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { V1 } from '../app/roster.ts'
import { query, setQuery } from '../app/router.ts'
import { say } from '../app/toast.ts'
import type { Delivery } from '../app/types.ts'
import { DeliveryMarks, DeliveryTo, DeliveryWords, reasonWords } from '../ui/deliveries.tsx'
import { Entry } from '../ui/entry.tsx'
import { Chips, Empty, Page, Panel, Shown, State } from '../ui/parts.tsx'

const PAGE = 100
const STATES = [{ value: '', words: 'All' }, { value: 'waiting', words: 'Waiting' }, { value: 'sent', words: 'Sent' }, { value: 'failed', words: 'Failed' }, { value: 'superseded', words: 'Not needed' }]

/** Person or receiver in one field: "ana" finds the person, "receiver team" the receiver. */
function whoQuery(who: string): string {
  const receiver = /^receiver\s+(.+)$/.exec(who.trim())
  if (receiver) return `&receiver=${encodeURIComponent(receiver[1] ?? '')}`
  return who.trim() ? `&person=${encodeURIComponent(who.trim())}` : ''
}

function Row({ one }: { one: Delivery }) {
  return (
    <tr>
      <td><State state={one.state} /></td>
      <td class="wide">
        <div class="delivery-line"><button type="button" class="quiet delivery-pick" title={`Only ${one.person ?? one.receiver ?? ''}`} onClick={() => setQuery({ who: one.person ?? `receiver ${one.receiver ?? ''}` }, { push: true })}><DeliveryTo one={one} /></button>
          {one.incident && <a data-row href={`/i/${one.incident}`}>{one.title ?? one.incident}</a>}</div>
        <div class="dim">{reasonWords(one)}: <DeliveryWords one={one} /></div>
        <div class="delivery-marks"><DeliveryMarks one={one} /></div>
        {one.last_error && one.state !== 'sent' && <div class="bad-ink">{one.last_error}</div>}
      </td>
      <td class="num right">{one.incident && <a href={`/i/${one.incident}`}>{one.incident}</a>}</td>
    </tr>
  )
}

export function Deliveries() {
  pageTitle.value = 'Deliveries'
  const state = STATES.some((one) => one.value === query('state')) ? query('state') : ''
  const who = query('who')
  const incident = query('incident')
  const path = `${V1}/deliveries?limit=${PAGE}${state ? `&state=${state}` : ''}${incident ? `&incident=${encodeURIComponent(incident)}` : ''}${whoQuery(who)}`
  const data = useData<{ deliveries: Delivery[] }>(path, ['incident'], 15_000)
  const [older, setOlder] = useState<{ path: string; list: Delivery[]; done: boolean }>({ path, list: [], done: false })
  const more = older.path === path ? older : { path, list: [], done: false }
  const loadOlder = async (all: Delivery[]) => {
    try {
      const { deliveries } = await call<{ deliveries: Delivery[] }>(`${path}&before=${all.at(-1)?.id ?? 1}`)
      setOlder({ path, list: [...more.list, ...deliveries], done: deliveries.length < PAGE })
    } catch (error) {
      say(`Older ones could not be read: ${String(error)}`, 'bad')
    }
  }
  return (
    <Page title="Deliveries" lead={incident ? <>Of <a href={`/i/${incident}`}>{incident}</a>. <button type="button" class="quiet" onClick={() => setQuery({ incident: '' })}>Show all</button></> : 'Every page and notification, to whom, and what became of it.'}>
      <div class="filters">
        <Chips name="State" value={state} onChoose={(value) => setQuery({ state: value })} choices={STATES} />
        <Entry type="search" placeholder="A person, or: receiver NAME" label="Of a person, or of a receiver: receiver NAME" value={who}
               onEnter={(text) => setQuery({ who: text.trim() })} />
      </div>
      <Shown data={data} what="The log could not be read">{({ deliveries }) => {
        const last = deliveries.at(-1)?.id ?? 0
        const all = [...deliveries, ...more.list.filter((one) => one.id < last)]
        if (all.length === 0) {
          return <Panel><Empty icon="sent" title={state || who || incident ? 'Nothing like that was told' : 'Nobody was told anything yet'}>
            {state || who || incident ? <button type="button" onClick={() => setQuery({ state: '', who: '', incident: '' })}>Show all</button> : <p>When an incident opens, each page to a receiver or a person is a line here: when it was due, sent, accepted and acknowledged.</p>}</Empty></Panel>
        }
        return (
          <Panel label="Deliveries">
            <table class="list"><thead><tr><th>State</th><th>To whom, about what</th><th class="right">Incident</th></tr></thead>
              <tbody>{all.map((one) => <Row key={one.id} one={one} />)}</tbody></table>
            {deliveries.length === PAGE && !more.done && <p class="center"><button type="button" onClick={() => { void loadOlder(all) }}>Older ones</button></p>}
          </Panel>
        )
      }}</Shown>
    </Page>
  )
}
