// What a person chose, kept in this browser: theme, zone, whether single letters act.

import { computed, effect, signal } from '@preact/signals'
import type { Zone } from '../lib/time.ts'

export type Theme = 'system' | 'light' | 'dark'

function read<T extends string>(name: string, known: readonly T[], usual: T): T {
  const value = localStorage.getItem(name) as T | null
  return value !== null && known.includes(value) ? value : usual
}

export const theme = signal<Theme>(read('theme', ['system', 'light', 'dark'], 'system'))
export const zone = signal<Zone>(read('zone', ['local', 'utc'], 'local'))
export const letters = signal<'on' | 'off'>(read('letters', ['on', 'off'], 'on'))
export const kiosk = signal(false)

const systemDark = matchMedia('(prefers-color-scheme: dark)')
const systemIsDark = signal(systemDark.matches)
systemDark.addEventListener('change', (event) => { systemIsDark.value = event.matches })

/** What is on the screen, for what can't follow style sheets: charts. */
export const isDark = computed(() => (theme.value === 'system' ? systemIsDark.value : theme.value === 'dark'))

effect(() => {
  const root = document.documentElement
  if (theme.value === 'system') delete root.dataset['theme']
  else root.dataset['theme'] = theme.value
  localStorage.setItem('theme', theme.value)
})
effect(() => localStorage.setItem('zone', zone.value))
effect(() => localStorage.setItem('letters', letters.value))
effect(() => { document.documentElement.toggleAttribute('data-kiosk', kiosk.value) })

/** The page's clock: a signal that ticks each second, set by alertd's clock at heart. */
export const now = signal(Date.now())
setInterval(() => { now.value = Date.now() }, 1000)
