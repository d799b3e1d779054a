// Keys, bound where they mean something. A view binds its own while it is shown; `?` lists
// what is bound now, so the help is never out of date.

import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { IDLE, step, takesText } from '../lib/keys.ts'
import { letters } from './settings.ts'

interface Binding { keys: string; words: string; group: string; act: () => void }

export const bindings = signal<Binding[]>([])

/** Binds keys ("g w", "a", "?") while the component is shown. */
export function useKey(keys: string, words: string, act: () => void, group = 'Here', enabled = true): void {
  const latest = useRef(act)
  latest.current = act
  useEffect(() => {
    if (!enabled) return undefined
    const binding: Binding = { keys, words, group, act: () => latest.current() }
    bindings.value = [...bindings.peek(), binding]
    return () => { bindings.value = bindings.peek().filter((one) => one !== binding) }
  }, [keys, words, enabled])
}

let state = IDLE

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
  const target = event.target as HTMLElement
  if (event.key === 'Escape' && takesText(target.tagName, target.getAttribute('type') ?? '', target.isContentEditable)) {
    target.blur()
    return
  }
  if (takesText(target.tagName, target.getAttribute('type') ?? '', target.isContentEditable)) return
  if (document.querySelector('dialog[open]')) return
  if (letters.value === 'off' && event.key !== '?') return
  const known = bindings.peek()
  const next = step(state, event.key, Date.now(), new Set(known.map((one) => one.keys)))
  state = next.state
  if (next.command === null) return
  event.preventDefault()
  // The newest binding wins: a view's over the shell's.
  known.filter((one) => one.keys === next.command).at(-1)?.act()
})

/** Moves the focus to the next or previous row on the page. */
export function moveRow(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('#main [data-row]')].filter((row) => row.offsetParent !== null)
  if (rows.length === 0) return
  const here = rows.findIndex((row) => row === document.activeElement || row.contains(document.activeElement))
  const next = here < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, here + by))
  rows[next]?.focus()
  rows[next]?.scrollIntoView({ block: 'nearest' })
}
