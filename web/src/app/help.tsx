// `?`: every key that does something here and now.

import { useEffect, useRef } from 'preact/hooks'
import { signal } from '@preact/signals'
import { Icon } from '../ui/icon.tsx'
import { bindings } from './keyboard.ts'
import { letters } from './settings.ts'

const shown = signal(false)

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (shown.value && !dialog.current?.open) dialog.current?.showModal()
    if (!shown.value && dialog.current?.open) dialog.current.close()
  }, [shown.value])
  const seen = new Map(bindings.value.map((one) => [one.keys, one]))
  const groups = new Map<string, typeof bindings.value>()
  for (const one of seen.values()) groups.set(one.group, [...(groups.get(one.group) ?? []), one])
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={() => { shown.value = false }}
            onClick={(event) => { if (event.target === dialog.current) shown.value = false }}>
      <header><h2 id="help-title">Keys</h2>
        <button type="button" class="quiet" aria-label="Close" onClick={() => { shown.value = false }}><Icon name="cross" /></button></header>
      <div class="help-groups">
        {[...groups].sort(([a], [b]) => Number(a === 'Everywhere') - Number(b === 'Everywhere')).map(([name, list]) => (
          <section key={name}><h3>{name}</h3>
            <dl>{list.map((one) => (
              <div key={one.keys}><dt>{one.keys.split(' ').map((key, i) => <kbd key={i}>{key}</kbd>)}</dt><dd>{one.words}</dd></div>
            ))}</dl></section>
        ))}
      </div>
      <label class="check"><input type="checkbox" checked={letters.value === 'on'} onChange={(event) => { letters.value = event.currentTarget.checked ? 'on' : 'off' }} />
        Keys do something. Off: only <kbd>?</kbd> does</label>
    </dialog>
  )
}

Help.open = () => { shown.value = true }
