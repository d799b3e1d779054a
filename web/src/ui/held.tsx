// A list whose rows stay under the hand (lib/hold.ts says what that means).

import type { ComponentChildren } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { hold } from '../lib/hold.ts'

interface Props<T> {
  items: readonly T[]
  keyOf: (item: T) => string
  class?: string
  children: (item: T, gone: boolean) => ComponentChildren
}

export function Held<T>({ items, keyOf, class: name, children }: Props<T>) {
  const [shown, setShown] = useState<readonly T[] | null>(null)
  const box = useRef<HTMLDivElement>(null)
  const grab = () => setShown((old) => old ?? items)
  const letGo = (to: EventTarget | null) => {
    if (!box.current?.contains(to as Node | null) && !box.current?.matches(':hover')) setShown(null)
  }
  const { rows, waiting } = hold(items, shown, keyOf)
  return (
    <div ref={box} class={name} onPointerEnter={grab} onPointerLeave={() => { if (!box.current?.contains(document.activeElement)) setShown(null) }}
         onFocusIn={grab} onFocusOut={(event) => letGo(event.relatedTarget)}>
      {waiting > 0 && <button type="button" class="pill" onClick={() => setShown(items)}>{waiting} new: show</button>}
      {rows.map(({ item, gone }) => children(item, gone))}
    </div>
  )
}
