// The tab itself says whether anything waits: its title and its icon carry the number.

import { effect } from '@preact/signals'
import { unacknowledged } from '../lib/verdict.ts'
import type { Overview } from './types.ts'
import { pulse } from './live.ts'
import { signal } from '@preact/signals'

export const pageTitle = signal('')
export const overviewNow = signal<Overview | undefined>(undefined)

function icon(n: number, lost: boolean): string {
  const colour = lost ? '#7a8494' : n > 0 ? '#d12f3a' : '#3451d1'
  const inside = n > 0
    ? `<text x="16" y="23" font-family="sans-serif" font-size="20" font-weight="700" fill="#fff" text-anchor="middle">${n > 9 ? '9+' : n}</text>`
    : '<path d="M8 10l3.5 12L16 13l4.500 9L24 10" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/>'
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="${colour}"/>${inside}</svg>`)}`
}

effect(() => {
  const n = unacknowledged(overviewNow.value)
  const lost = pulse.value === 'lost'
  const name = pageTitle.value ? `${pageTitle.value} · Watchbill` : 'Watchbill'
  document.title = `${lost ? '? ' : n > 0 ? `(${n}) ` : ''}${name}`
  const link = document.querySelector<HTMLLinkElement>('link[rel=icon]')
  const href = icon(n, lost)
  if (link && link.href !== href) link.href = href
})
