// A panel that opens: its head says in a few words what is inside, so that most never need to.

import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { Icon } from './icon.tsx'

export function Fold({ title, digest, open = false, id, children }: { title: string; digest?: ComponentChildren; open?: boolean; id?: string; children: ComponentChildren }) {
  const [touched, setTouched] = useState<boolean | null>(null)
  return (
    <details class="panel fold" {...(id ? { id } : {})} open={touched ?? open} onToggle={(event) => { if (event.currentTarget.open !== (touched ?? open)) setTouched(event.currentTarget.open) }}>
      <summary><h2>{title}</h2><Icon name="chevron" size={16} />{digest && <span class="fold-digest dim">{digest}</span>}</summary>
      {children}
    </details>
  )
}
