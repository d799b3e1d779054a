// What people do to shadows, shadow pages and a readiness list: one call, and what shows it is
// asked for again. Nothing here touches a real incident.

import { call, me } from './api.ts'
import { changed, put } from './data.ts'
import { act, V1 } from './roster.ts'
import type { ReadinessDetail, Shadow, ShadowAnswers, ShadowPage, ShadowSpec } from './types.ts'

export const SHADOWS = `${V1}/shadows`
export const SHADOW_PAGES = `${V1}/shadow-pages`
export const READINESS = `${V1}/readiness`
export const TOPICS = ['shadow_page', 'incident', 'roster'] as const
export const shadowPagePath = (id: string | number) => `${SHADOW_PAGES}/${encodeURIComponent(String(id))}`
export const readinessPath = (person: string) => `${READINESS}/${encodeURIComponent(person)}`

/** Is this person the one who is logged in? With authentication off nobody is anybody. */
export const isMe = (person: string) => me.value?.name === person

export const nameOf = (one: { person: string; full_name: string | null }) => one.full_name ?? one.person

/** One's own page; another one's only by saying for whom. */
async function doTo({ id, person, yours }: ShadowPage, what: string, json: unknown): Promise<void> {
  const page = await call<ShadowPage>(`${shadowPagePath(id)}/${what}${yours ? '' : `?for=${encodeURIComponent(person)}`}`, { json })
  put<ShadowPage>(shadowPagePath(id), () => page)
  changed('shadow_page')
}

export const markOpened = (page: ShadowPage) => doTo(page, 'opened', {}).catch(() => undefined)
export const markSeen = (page: ShadowPage) => act('', () => doTo(page, 'seen', {}))
export const acknowledgeCopy = (page: ShadowPage) => act('Your copy is acknowledged. The real incident is as it was', () => doTo(page, 'acknowledge', {}))
export const saveText = (page: ShadowPage, what: 'hypothesis' | 'notes', text: string) => doTo(page, what, { text })
export const saveAnswers = (page: ShadowPage, answers: Omit<ShadowAnswers, 'answered_at'>) => act('', () => doTo(page, 'answers', answers))

export const addShadow = (spec: ShadowSpec, wrong: (words: string) => void) => act(`${spec.person} shadows ${spec.target}`, () => call(SHADOWS, { json: spec }), wrong)

/** A running one ends now, so that what it was stays known; one that has not begun is taken back. */
export function endShadow(shadow: Shadow, running: boolean, nowMs: number): Promise<boolean> {
  const path = `${SHADOWS}/${encodeURIComponent(shadow.id)}?revision=${shadow.revision}`
  const words = `${shadow.spec.person} no longer shadows ${shadow.spec.target}`
  return act(words, () => (running ? call(path, { method: 'PUT', json: { ...shadow.spec, to: new Date(nowMs).toISOString() } }) : call(path, { method: 'DELETE' })))
}

async function toItem(person: string, item: string, method: 'PUT' | 'POST' | 'DELETE', json?: unknown): Promise<void> {
  const at = `${readinessPath(person)}/items/${encodeURIComponent(item)}${method === 'PUT' ? '' : '/sign'}`
  await call<ReadinessDetail | undefined>(at, { method, ...(json === undefined ? {} : { json }) })
  changed('shadow_page')
}

export const saveEvidence = (person: string, item: string, evidence: string, answer: string, wrong: (words: string) => void) =>
  act('', () => toItem(person, item, 'PUT', { evidence, ...(answer ? { answer } : {}) }), wrong)
export const sign = (person: string, item: string) => act('Signed', () => toItem(person, item, 'POST', {}))
export const unsign = (person: string, item: string) => act('The signature is taken back', () => toItem(person, item, 'DELETE'))
