// A field whose text counts when it is entered: by Enter, by going elsewhere, or (a search) by being emptied. What is
// typed until then is the field's own, whatever is drawn meanwhile; another value from outside takes its place.

import { useEffect, useState } from 'preact/hooks'

interface Props {
  type: 'search' | 'number'
  value: string
  onEnter: (text: string) => void
  label?: string
  placeholder?: string
}

export function Entry({ type, value, onEnter, label, placeholder }: Props) {
  const [typed, setTyped] = useState<string | null>(null)
  useEffect(() => setTyped(null), [value])
  const take = (text: string) => {
    setTyped(text)
    if (text === '' && type === 'search') onEnter('')
  }
  const field = {
    value: typed ?? value, placeholder, 'aria-label': label,
    onInput: (event: { currentTarget: HTMLInputElement }) => take(event.currentTarget.value),
    onChange: (event: { currentTarget: HTMLInputElement }) => onEnter(event.currentTarget.value),
  }
  return type === 'search' ? <input type="search" data-filter {...field} /> : <input type="number" step="any" {...field} />
}
