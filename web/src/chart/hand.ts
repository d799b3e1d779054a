// What is dragged: whether a hand is on it (until it lets go nothing is asked), drawing at most once
// a frame, and what is reckoned ahead while it rests.

import { type ReadonlySignal, signal, useSignalEffect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'

export const hand = signal(false)

/** Draws in the frame that follows a change, however many changes it brings. */
export function useInFrame<T>(value: ReadonlySignal<T>, draw: (value: T) => void): void {
  const newest = useRef(draw)
  const frame = useRef(0)
  newest.current = draw
  useSignalEffect(() => {
    void value.value
    if (frame.current) return
    frame.current = requestAnimationFrame(() => {
      frame.current = 0
      newest.current(value.peek())
    })
  })
  useEffect(() => () => cancelAnimationFrame(frame.current), [])
}

/** Does one after the other while nothing else is to be done; what is returned stops it. */
export function whenIdle<T>(list: readonly T[], each: (one: T) => void): () => void {
  const later = typeof requestIdleCallback === 'function' ? requestIdleCallback : (work: () => void) => setTimeout(work, 30) as unknown as number
  let at = 0
  let stopped = false
  const step = () => {
    if (stopped || at >= list.length) return
    if (!hand.peek()) each(list[at++]!)
    later(step)
  }
  later(step)
  return () => { stopped = true }
}

/** 0 to n - 1, from one of them outwards. */
export function outwards(from: number, n: number): number[] {
  return Array.from({ length: n }, (_, i) => i).sort((a, b) => Math.abs(a - from) - Math.abs(b - from))
}
