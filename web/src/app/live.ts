// The event stream: what changed is asked for again at once.
//
//     closed --signed in, tab visible--> open --error--> waiting 1 s, 2 s .. 30 s --> open
//        ^------------ hidden for 30 s, or signed out -----------------------------+
//
// HTTP/1.1 gives a browser six connections to one host: hidden tabs give theirs back.
// Nothing here decides that the page is fresh: pulse does, by what alertd last answered.

import { computed, effect, signal } from '@preact/signals'
import { pulseOf } from '../lib/verdict.ts'
import { heardMs, may, me } from './api.ts'
import { changed, changedAll, streaming } from './data.ts'
import { now } from './settings.ts'

const TOPICS = ['alerts', 'incident', 'rules', 'agents', 'postmortem', 'roster', 'silences', 'shadow_page', 'service', 'change', 'drill'] as const
const HIDDEN_MS = 30_000
const WAIT_MAX_MS = 30_000

export const pulse = computed(() => pulseOf(heardMs.value, now.value))
export const ageMs = computed(() => Math.max(0, now.value - heardMs.value))

const wanted = signal(!document.hidden)
let source: EventSource | null = null
let waitMs = 1000
let retry: ReturnType<typeof setTimeout> | null = null
let leaving: ReturnType<typeof setTimeout> | null = null

function close(): void {
  source?.close()
  source = null
  streaming.value = false
  if (retry) clearTimeout(retry)
  retry = null
}

function open(): void {
  close()
  const stream = new EventSource('/api/alertd/v1/events')
  source = stream
  stream.onopen = () => {
    waitMs = 1000
    streaming.value = true
    heardMs.value = Date.now()
    changedAll() // what happened while nobody listened
  }
  for (const topic of TOPICS) {
    stream.addEventListener(topic, (event) => {
      heardMs.value = Date.now()
      let key: string | undefined
      try {
        key = (JSON.parse((event as MessageEvent<string>).data) as { key?: string | number }).key?.toString()
      } catch { /* an event without a key is about all of them */ }
      changed(topic, key)
    })
  }
  stream.onerror = () => {
    close()
    retry = setTimeout(open, waitMs * (0.5 + Math.random()))
    waitMs = Math.min(waitMs * 2, WAIT_MAX_MS)
  }
}

document.addEventListener('visibilitychange', () => {
  if (leaving) clearTimeout(leaving)
  leaving = null
  if (document.hidden) leaving = setTimeout(() => { wanted.value = false }, HIDDEN_MS)
  else {
    wanted.value = true
    changedAll()
  }
})

// A page that is left is kept whole by the browser for a while, to come back to: six of them with their streams, and the next one waits.
addEventListener('pagehide', () => { wanted.value = false })
addEventListener('pageshow', () => { wanted.value = !document.hidden })

const signedIn = computed(() => me.value !== null && may('read'))
effect(() => {
  if (wanted.value && signedIn.value) open()
  else close()
})
