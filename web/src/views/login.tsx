// The way in: a token, pasted once, becomes a session cookie scripts can't read.
//
// A link may carry it as /login#token=wb_...: what is behind # never leaves the browser, and
// it is out of the address, and so out of the history, before it is used.

import { useEffect, useState } from 'preact/hooks'
import { ApiError, call, whoAmI } from '../app/api.ts'
import { pageTitle } from '../app/badge.ts'

function takeToken(): string {
  const found = /^#token=([\w.~-]+)$/.exec(location.hash)
  if (found) history.replaceState(null, '', location.pathname + location.search)
  return found?.[1] ?? ''
}

export function Login() {
  const [token, setToken] = useState('')
  const [problem, setProblem] = useState('')
  const [busy, setBusy] = useState(false)
  pageTitle.value = 'Log in'

  const logIn = async (pasted: string) => {
    if (!pasted.trim()) {
      setProblem('Paste a token first.')
      return
    }
    setBusy(true)
    try {
      await call('/api/alertd/v1/login', { json: { token: pasted.trim() } })
      await whoAmI()
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 0
      setProblem(status === 401 ? 'alertd does not know this token. It may have expired or been revoked.'
        : status === 429 ? 'Too many wrong tokens. Wait a minute, then try again.'
        : error instanceof Error ? error.message : String(error))
    }
    setBusy(false)
  }
  useEffect(() => {
    const carried = takeToken()
    if (carried) void logIn(carried)
  }, [])

  return (
    <main class="login" id="main">
      <form class="panel" onSubmit={(event) => { event.preventDefault(); void logIn(token) }} noValidate>
        <svg class="logo" viewBox="0 0 32 32" width="44" height="44" aria-hidden="true">
          <rect width="32" height="32" rx="8" />
          <path d="M8 10l3.500 12L16 13l4.500 9L24 10" fill="none" stroke-width="2.600" stroke-linecap="round" stroke-linejoin="round" />
        </svg>
        <h1>Watchbill</h1>
        <label for="token">Access token</label>
        <input id="token" type="password" autocomplete="current-password" spellcheck={false} autofocus value={token}
               aria-describedby="token-help" aria-invalid={problem !== ''}
               onInput={(event) => { setToken(event.currentTarget.value); setProblem('') }} />
        <p id="token-problem" class="problem" role="alert">{problem}</p>
        <button class="primary" type="submit" disabled={busy}>{busy ? 'Logging in …' : 'Log in'}</button>
        <div id="token-help" class="dim">
          <p><code>./run</code> prints one. The first start writes it to <code>admin.token</code> in the storage folder.</p>
          <p>For someone else:<br /><code>alertctl token create --scope=operate ana</code></p>
        </div>
      </form>
    </main>
  )
}
