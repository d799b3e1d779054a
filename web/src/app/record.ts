// What people do to an incident's record: write rows, say what they think of one, move marks.

import { incidentPath } from './actions.ts'
import { ApiError, call } from './api.ts'
import { changed } from './data.ts'
import { say } from './toast.ts'
import type { Row } from './types.ts'

export const rowsPath = (key: string, query: string) => `${incidentPath(key)}/events?${query}`

/** Who has which role, and what it might be: one question for both. */
export const standingPath = (key: string) => rowsPath(key, 'kinds=incident.role,human.hypothesis&limit=500')

export interface NewRow { kind: string; text: string; t?: string; precision?: string; about?: number; role?: string; evidence?: Record<string, unknown> }

export async function addRow(key: string, row: NewRow): Promise<void> {
  await call(`${incidentPath(key)}/events`, { json: { events: [row] } })
  changed('incident', key)
}

function complain(what: string, error: unknown): void {
  say(`${what}: ${error instanceof ApiError ? error.message : String(error)}`, 'bad')
}

/** The same, for a button: what went wrong is said, and nothing is lost by it. */
export async function tryRow(key: string, row: NewRow): Promise<boolean> {
  try {
    await addRow(key, row)
    return true
  } catch (error) {
    complain('Not written', error)
    return false
  }
}

export interface Revision { op: string; value?: string; reason?: string; precision?: string }

export async function revise(key: string, row: Row, revision: Revision): Promise<boolean> {
  try {
    await call(`${incidentPath(key)}/events/${row.id}/revs`, { json: revision })
    changed('incident', key)
    return true
  } catch (error) {
    complain('Not changed', error)
    return false
  }
}

export interface MarkChange { name: string; scope?: string; at?: string | null; auto?: boolean; reason?: string }

export async function setMark(key: string, mark: MarkChange): Promise<boolean> {
  try {
    await call(`${incidentPath(key)}/marks`, { method: 'PUT', json: { marks: [mark] } })
    changed('incident', key)
    return true
  } catch (error) {
    complain('The mark was not set', error)
    return false
  }
}
