// What a person does to the roster: one call, words about it, and everything that shows it is
// asked for again.

import { ApiError, call } from './api.ts'
import { changed } from './data.ts'
import { say } from './toast.ts'

export const V1 = '/api/alertd/v1'
export const PEOPLE = `${V1}/people`
export const SCHEDULES = `${V1}/schedules`
export const schedulePath = (name: string) => `${SCHEDULES}/${encodeURIComponent(name)}`
export const personPath = (name: string) => `${PEOPLE}/${encodeURIComponent(name)}`

/** Does it; true when it is done. What went wrong is said, or handed to `wrong`. */
export async function act(done: string, ask: () => Promise<unknown>, wrong?: (words: string) => void): Promise<boolean> {
  try {
    await ask()
    if (done) say(done, 'ok')
    return true
  } catch (error) {
    const words = error instanceof ApiError ? error.message : String(error)
    if (wrong) wrong(words)
    else say(words, 'bad')
    return false
  } finally {
    changed('roster')
  }
}

export const takeBack = (schedule: string, id: string) => act('Taken back', () => call(`${schedulePath(schedule)}/overrides/${id}`, { method: 'DELETE' }))
