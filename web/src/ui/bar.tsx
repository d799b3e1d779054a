// A number with a bar that says how much of a whole it is.

import type { ComponentChildren } from 'preact'

/** part, and around: what it is part of; both 0 to 1. */
export function Measured({ part, around = 0, beside, children }: { part: number; around?: number; beside?: ComponentChildren; children: ComponentChildren }) {
  return (
    <span class="measured">
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="8" /><rect class="around" width={around * 100} height="8" /><rect class="part" width={part * 100} height="8" />
      </svg>
      <b>{children}</b>{beside}
    </span>
  )
}
