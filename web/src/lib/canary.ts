// A candidate beside its rule, in words.

import { count } from './number.ts'

interface Side { alerts: number; pages: number }

/** What both counts come to, in a sentence. */
export function changeWords(current: Side, candidate: Side): string {
  const by = candidate.pages - current.pages
  if (current.pages === 0 && by === 0) return current.alerts + candidate.alerts === 0 ? 'Neither has fired yet: there is nothing to compare so far.' : 'Neither would have paged anybody so far.'
  if (by === 0) return `As many pages as the rule: ${count(current.pages, 'page')}.`
  return `${count(Math.abs(by), 'page')} ${by < 0 ? 'fewer' : 'more'} than the rule: ${candidate.pages.toLocaleString('en')} instead of ${current.pages.toLocaleString('en')}.`
}
