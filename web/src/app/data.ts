// What the page knows of alertd, by path: asked for once however many views show it, kept
// for coming back, asked again when alertd says it changed or when it is old.
//
//     useData('/api/alertd/v1/overview', ['incident', 'alerts'], 10 s)
//          |  first user: fetch      ^ an event with one of these topics: fetch again
//          |                         ^ every 10 s as well: the answer has ages in it
//
// An error keeps the last good answer: the views show both.

import { effect, signal, type Signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { ApiError, call, me } from './api.ts'
import { now } from './settings.ts'

interface Entry {
  path: string
  data: Signal<unknown>
  error: Signal<ApiError | null>
  topics: readonly string[]
  everyMs: number
  fetchedMs: number
  users: number
  busy: boolean
  again: boolean
  soon: ReturnType<typeof setTimeout> | null
}

const KEPT_MAX = 60
const SETTLE_MS = 120
const UNHEARD_MS = 10_000

const entries = new Map<string, Entry>()
/** Is the event stream open? While it is not, everything is polled. */
export const streaming = signal(false)

function entryOf(path: string): Entry {
  let entry = entries.get(path)
  if (!entry) {
    entry = { path, data: signal(undefined), error: signal(null), topics: [], everyMs: 60_000,
              fetchedMs: 0, users: 0, busy: false, again: false, soon: null }
    entries.set(path, entry)
    for (const [key, old] of entries) {
      if (entries.size <= KEPT_MAX) break
      if (old.users === 0 && old !== entry) entries.delete(key)
    }
  }
  return entry
}

/** The page's frame has been shown: an answer that is quick and long would hold it up. A tab behind others shows nothing. */
const framed = new Promise<void>((done) => {
  requestAnimationFrame(() => requestAnimationFrame(() => done()))
  setTimeout(done, 300)
})

async function load(entry: Entry): Promise<void> {
  if (entry.busy) {
    entry.again = true
    return
  }
  entry.busy = true
  try {
    const answer = await call<unknown>(entry.path)
    await framed
    entry.data.value = answer
    entry.error.value = null
  } catch (error) {
    entry.error.value = error as ApiError
  }
  entry.fetchedMs = Date.now()
  entry.busy = false
  if (entry.again) {
    entry.again = false
    void load(entry)
  }
}

/** A burst of events is one question. */
function loadSoon(entry: Entry): void {
  entry.soon ??= setTimeout(() => {
    entry.soon = null
    void load(entry)
  }, SETTLE_MS)
}

export interface Data<T> {
  value: T | undefined
  error: ApiError | null
  reload: () => void
}

/** path null: nothing is asked. */
export function useData<T>(path: string | null, topics: readonly string[] = [], everyMs = 60_000): Data<T> {
  useEffect(() => {
    if (path === null) return undefined
    const entry = entryOf(path)
    entry.users++
    entry.topics = topics
    entry.everyMs = everyMs
    if (Date.now() - entry.fetchedMs > 2000) void load(entry)
    return () => { entry.users-- }
  }, [path])
  if (path === null) return { value: undefined, error: null, reload: () => undefined }
  const entry = entryOf(path)
  return { value: entry.data.value as T | undefined, error: entry.error.value, reload: () => loadSoon(entry) }
}

/** What an action's answer already told: shown at once, no need to ask. */
export function put<T>(path: string, change: (old: T) => T): void {
  const entry = entries.get(path)
  if (entry && entry.data.peek() !== undefined) entry.data.value = change(entry.data.peek() as T)
}

export function peek<T>(path: string): T | undefined {
  return entries.get(path)?.data.peek() as T | undefined
}

/** Something of this topic changed; a key narrows it to the paths that name it, and the lists. */
export function changed(topic: string, key?: string): void {
  for (const entry of entries.values()) {
    if (!entry.topics.includes(topic)) continue
    // A postmortem's path names a number: whose it is stands in it.
    const named = /\/incidents\/([^/?]+)/.exec(entry.path)?.[1] ?? (entry.data.peek() as { incident?: string } | undefined)?.incident
    if (key && named && named !== key) continue
    if (entry.users > 0) loadSoon(entry)
    else entry.fetchedMs = 0
  }
}

export function changedAll(): void {
  for (const entry of entries.values()) if (entry.users > 0) loadSoon(entry)
}

effect(() => {
  const at = now.value
  if (!me.value || document.hidden) return
  for (const entry of entries.values()) {
    const every = streaming.value ? entry.everyMs : Math.min(entry.everyMs, UNHEARD_MS)
    if (entry.users > 0 && !entry.busy && !entry.soon && at - entry.fetchedMs >= every) void load(entry)
  }
})
