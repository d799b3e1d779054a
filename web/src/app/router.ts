// The address is the state: what a link names is what the page shows, filters and all.
//
//     a click on <a href="/rules"> --> go() --> history --> address (a signal) --> the view
//
// Links are plain <a>: they open in a new tab, can be copied, and work by keyboard.

import { signal } from '@preact/signals'

export const address = signal(new URL(location.href))

/** The place in the page to return to is the browser's business; a new page starts at its top. */
export function go(to: string, how: { replace?: boolean } = {}): void {
  const url = new URL(to, location.href)
  const moved = url.pathname !== address.peek().pathname
  if (how.replace) history.replaceState(null, '', url)
  else if (url.href !== location.href) history.pushState(null, '', url)
  address.value = url
  if (moved && !how.replace) {
    scrollTo(0, 0)
    // A reader's cursor goes with the page, not back to the link that is gone.
    requestAnimationFrame(() => document.getElementById('main')?.focus({ preventScroll: true }))
  }
}

export function query(name: string): string {
  return address.value.searchParams.get(name) ?? ''
}

/** Changes parts of the query; an empty value takes its name out. */
export function setQuery(changes: Record<string, string>, how: { push?: boolean } = {}): void {
  const url = new URL(address.peek())
  for (const [name, value] of Object.entries(changes)) {
    if (value) url.searchParams.set(name, value)
    else url.searchParams.delete(name)
  }
  go(url.href, { replace: !how.push })
}

addEventListener('popstate', () => { address.value = new URL(location.href) })

document.addEventListener('click', (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
  const link = (event.target as Element | null)?.closest?.('a')
  if (!link || link.origin !== location.origin || link.target || link.hasAttribute('download')) return
  if (/^\/(api|a|c|s|ical|-|metrics)(\/|$)/.test(link.pathname)) return
  event.preventDefault()
  go(link.href)
})
