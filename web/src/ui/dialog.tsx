// A form over the page: the keyboard stays in it, Escape closes it, and the focus goes back to
// what opened it.

import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { Icon } from './icon.tsx'

export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => { dialog.current?.showModal() }, [])
  return (
    <dialog ref={dialog} class="help form-dialog" aria-labelledby={id} onClose={onClose}
            onClick={(event) => { if (event.target === dialog.current) onClose() }}>
      <header><h2 id={id}>{title}</h2>
        <button type="button" class="quiet" aria-label="Close" onClick={onClose}><Icon name="cross" /></button></header>
      {children}
    </dialog>
  )
}

export function Field({ label, hint, children }: { label: string; hint?: ComponentChildren; children: ComponentChildren }) {
  return <label class="field"><span>{label}</span>{children}{hint && <small class="dim">{hint}</small>}</label>
}

/** A button that asks once more before it does something that cannot be taken back. */
export function Sure({ words, sure, onSure, disabled = false }: { words: string; sure: string; onSure: () => void; disabled?: boolean }) {
  const [asked, setAsked] = useState(false)
  useEffect(() => {
    if (!asked) return undefined
    const timer = setTimeout(() => setAsked(false), 6000)
    return () => clearTimeout(timer)
  }, [asked])
  return <button type="button" class={asked ? 'danger' : ''} disabled={disabled} onClick={() => { if (asked) { setAsked(false); onSure() } else setAsked(true) }}>{asked ? sure : words}</button>
}
