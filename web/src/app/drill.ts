// One drill's session as this page knows it, and what is done in it.
//
//     GET /drills/N every second --newer--> session (a signal)      304: nothing happened, the clock runs on
//     GET /drills/N oftener while time flies: a page stops it within the second
//     act --> kept in this browser --> POST --2xx--> forgotten      no answer: tried again, with the same key
//
// (1) The clock is alertd's: between two answers it goes on by a steady count of milliseconds, and not by this browser's
//     idea of what time it is, which may be wrong.
// (2) An act has a key: sent twice, or from two tabs, it is done once.

import { signal, type Signal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { nowOf } from '../lib/drill.ts'
import { ApiError, call } from './api.ts'
import type { ActKind, DrillClock, LibraryDrill, Moment, Session, SessionHead } from './drill_types.ts'
import { changed } from './data.ts'
import { V1 } from './roster.ts'
import { say } from './toast.ts'

export const DRILLS = `${V1}/drills`
export const LIBRARY = `${DRILLS}/library`
export const sessionPath = (id: string | number) => `${DRILLS}/${encodeURIComponent(String(id))}`
export const playPath = (id: number) => `/drills/${id}/play`

const POLL_MS = 1000
/** While a second of ours is ten of the drill's and more. */
const FLYING_POLL_MS = 300
const FLYING = 10
const HIDDEN_POLL_MS = 5000
/** So often everything is asked for, changed or not: the clock is set anew. */
const ANCHOR_EVERY = 8
const RETRY_MS = 3000

export interface Act { kind: ActKind; id?: string; text?: string; key: string }

export interface Live {
  session: Signal<Session | undefined>
  error: Signal<ApiError | null>
  /** Where the drill is now; follows a steady count, four times a second. */
  nowMs: Signal<number>
  /** Acts alertd does not have yet. */
  unsent: Signal<readonly Act[]>
  refresh: () => Promise<void>
  act: (kind: ActKind, what?: { id?: string; text?: string }) => Promise<Moment | null>
  setClock: (change: { state?: 'running' | 'paused'; speed?: number; jump?: 'onset' }) => Promise<void>
  settle: (change: { page_me?: boolean; slow_to?: number }) => Promise<void>
  end: () => Promise<void>
}

/** Not randomUUID(): that is only there where the page came by https or from this machine. */
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

const keptActs = (id: string) => `drill ${id} acts`
function readActs(id: string): Act[] {
  try {
    const acts = JSON.parse(localStorage.getItem(keptActs(id)) ?? '[]') as unknown
    return Array.isArray(acts) ? (acts as Act[]) : []
  } catch {
    return []
  }
}

/** Of a broken one alertd has but the head. */
const NOTHING = { brief: '', alerts: [], incidents: [], pages: [], moments: [], graphs: [], runbooks: [], questions: [], hints: { left: 0, next_cost: null, given: [] }, notes: [] }

class Following implements Live {
  session = signal<Session | undefined>(undefined)
  error = signal<ApiError | null>(null)
  nowMs = signal(0)
  unsent: Signal<readonly Act[]>
  private heardAt = 0
  private round = 0
  private sending: Promise<void> = Promise.resolve()
  private answered = new Map<string, Moment>()
  private timers: ReturnType<typeof setTimeout>[] = []
  private busy = false
  /** Changes of the clock that alertd has not answered: what one asked for is shown meanwhile. */
  private changing = 0

  constructor(private id: string) {
    this.unsent = signal(readActs(id))
  }

  start(): () => void {
    const tick = setInterval(() => this.tick(), 250)
    let poll: ReturnType<typeof setTimeout>
    const again = () => {
      poll = setTimeout(() => { void this.poll().finally(again) }, this.restMs())
    }
    void this.refresh().finally(again)
    if (this.unsent.peek().length > 0) void this.queue()
    const seen = () => { if (!document.hidden) void this.refresh() }
    document.addEventListener('visibilitychange', seen)
    return () => {
      clearInterval(tick)
      clearTimeout(poll)
      for (const timer of this.timers) clearTimeout(timer)
      document.removeEventListener('visibilitychange', seen)
    }
  }

  private restMs(): number {
    const session = this.session.peek()
    if (document.hidden || session?.state === 'ended' || session?.state === 'broken') return HIDDEN_POLL_MS
    return session?.state === 'running' && session.clock.speed >= FLYING ? FLYING_POLL_MS : POLL_MS
  }

  private tick(): void {
    const session = this.session.peek()
    if (session) this.nowMs.value = nowOf(session.clock, session.state, performance.now() - this.heardAt)
  }

  private take(answer: Session): void {
    const old = this.session.peek()
    if (old && answer.version < old.version) return // an answer that was overtaken
    const session = { ...NOTHING, ...answer }
    this.heardAt = performance.now()
    this.session.value = this.changing > 0 && old ? { ...session, state: old.state, clock: { ...session.clock, speed: old.clock.speed } } : session
    this.tick()
  }

  private async ask(query: string): Promise<void> {
    try {
      this.take(await call<Session>(sessionPath(this.id) + query))
      this.error.value = null
    } catch (error) {
      const failed = error as ApiError
      if (failed.status === 304) this.error.value = null
      else this.error.value = failed
    }
  }

  private async poll(): Promise<void> {
    if (this.busy) return
    this.busy = true
    const session = this.session.peek()
    this.round = (this.round + 1) % ANCHOR_EVERY
    await this.ask(session && this.round !== 0 && this.error.peek() === null ? `?since=${session.version}` : '')
    this.busy = false
  }

  refresh = (): Promise<void> => this.ask('')

  /** Another tab may keep some too: its own are in the same list. */
  private keep(change: (acts: Act[]) => Act[]): void {
    const acts = change(readActs(this.id))
    this.unsent.value = acts
    if (acts.length > 0) localStorage.setItem(keptActs(this.id), JSON.stringify(acts))
    else localStorage.removeItem(keptActs(this.id))
  }

  private forget(act: Act): void {
    this.keep((acts) => acts.filter((one) => one.key !== act.key))
  }

  /** True when alertd answered, be it with a refusal: then the act is settled. */
  private async send(act: Act): Promise<boolean> {
    try {
      const { moment } = await call<{ moment: Moment }>(`${sessionPath(this.id)}/acts`, { json: act, keepalive: true })
      this.answered.set(act.key, moment)
    } catch (error) {
      const failed = error as ApiError
      if (failed.status === 0 || failed.status >= 500) return false
      say(`Not done: ${failed.message}`, 'bad')
    }
    this.forget(act)
    return true
  }

  /** In the order they were done in. */
  private async sendAll(): Promise<void> {
    for (const act of readActs(this.id)) {
      if (await this.send(act)) continue
      this.timers.push(setTimeout(() => { this.queue() }, RETRY_MS))
      break
    }
    await this.refresh()
  }

  private queue(): Promise<void> {
    this.sending = this.sending.then(() => this.sendAll()).catch(() => undefined)
    return this.sending
  }

  act = async (kind: ActKind, what: { id?: string; text?: string } = {}): Promise<Moment | null> => {
    const act: Act = { kind, ...what, key: newKey() }
    this.keep((acts) => [...acts, act])
    await this.queue()
    return this.answered.get(act.key) ?? null
  }

  setClock = async (change: { state?: 'running' | 'paused'; speed?: number; jump?: 'onset' }): Promise<void> => {
    const before = this.session.peek()
    if (before) this.take({ ...before, state: change.state ?? before.state, clock: { ...before.clock, now_ms: this.nowMs.peek(), speed: change.speed ?? before.clock.speed } })
    await this.change('clock', change)
  }

  /** What answers with the clock, and maybe more of the session. */
  private async change(what: string, json: unknown): Promise<void> {
    this.changing++
    try {
      const answer = await call<Partial<Session> & { clock: DrillClock }>(`${sessionPath(this.id)}/${what}`, { json })
      const session = this.session.peek()
      this.changing--
      if (session) this.take({ ...session, ...answer, clock: { ...session.clock, ...answer.clock } })
    } catch (error) {
      this.changing--
      say(`Not done: ${wordsOf(error)}`, 'bad')
    }
    await this.refresh()
  }

  /** What was chosen is shown at once; when alertd refuses, the next answer shows what is so. */
  settle = (change: { page_me?: boolean; slow_to?: number }): Promise<void> => {
    const before = this.session.peek()
    if (before) this.take({ ...before, page_me: change.page_me ?? before.page_me ?? false, clock: { ...before.clock, now_ms: this.nowMs.peek(), slow_to: change.slow_to ?? before.clock.slow_to ?? 0 } })
    return this.change('settings', change)
  }

  end = async (): Promise<void> => {
    await endSession(this.id)
    await this.refresh()
  }
}

export function useLive(id: string): Live {
  const live = useMemo(() => new Following(id), [id])
  useEffect(() => live.start(), [live])
  return live
}

/** Why something was not done, for people. */
export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export async function endSession(id: string | number): Promise<void> {
  try {
    await call(`${sessionPath(id)}/end`, { json: {} })
    changed('drill')
  } catch (error) {
    say(`Not ended: ${wordsOf(error)}`, 'bad')
  }
}

export interface NewSession { drill: string; mode?: string; players?: string[]; rules?: 'then' | 'now' }

/** Makes a session, which a real page stops; its id, or null when alertd refused and it was said why. */
export async function newSession(what: NewSession): Promise<number | null> {
  try {
    return (await call<{ id: number }>(DRILLS, { json: { start: 'paused', stop_for_pages: true, ...what } })).id
  } catch (error) {
    say(`The drill could not be started: ${wordsOf(error)}`, 'bad')
    return null
  }
}

export type Library = { drills: LibraryDrill[] }
export type Sessions = { sessions: SessionHead[] }
