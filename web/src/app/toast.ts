// Short words about what was just done, and the way back.
//
// Resolving is undone by not doing it: it is sent when its five seconds are over, or at once
// when the page is left. Acknowledging is never held back: a page must stop at once.

import { signal } from '@preact/signals'

export interface Toast {
  id: number
  text: string
  tone: 'ok' | 'bad' | 'plain'
  undo?: () => void
}

export const UNDO_MS = 5000
const SHOWN_MS = 4000
const SHOWN_BAD_MS = 10_000

export const toasts = signal<Toast[]>([])
let nextId = 1

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id)
}

export function say(text: string, tone: Toast['tone'] = 'plain'): void {
  const id = nextId++
  toasts.value = [...toasts.value.slice(-3), { id, text, tone }]
  setTimeout(() => dismiss(id), tone === 'bad' ? SHOWN_BAD_MS : SHOWN_MS)
}

interface Pending { id: number; timer: ReturnType<typeof setTimeout>; act: () => void }
const pending: Pending[] = []

function settle(one: Pending): void {
  clearTimeout(one.timer)
  pending.splice(pending.indexOf(one), 1)
  dismiss(one.id)
}

/** Does `act` in five seconds unless undone; `back` puts the page as it was. */
export function later(text: string, act: () => void, back: () => void): void {
  const id = nextId++
  const one: Pending = { id, act, timer: setTimeout(() => { settle(one); act() }, UNDO_MS) }
  pending.push(one)
  toasts.value = [...toasts.value.slice(-3), { id, text, tone: 'plain', undo: () => { settle(one); back() } }]
}

export function undoLast(): void {
  toasts.value.filter((toast) => toast.undo).at(-1)?.undo?.()
}

addEventListener('pagehide', () => {
  for (const one of [...pending]) {
    settle(one)
    one.act()
  }
})

/** For those who listen: polite waits for its turn, assertive interrupts. */
export const spoken = signal({ polite: '', assertive: '' })

export function announce(text: string, how: 'polite' | 'assertive' = 'polite'): void {
  spoken.value = { ...spoken.value, [how]: text }
}
