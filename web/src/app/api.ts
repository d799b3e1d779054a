// Talking to alertd. One function: every call has a time limit, says who asks, and turns a
// refusal into an ApiError whose words can be shown.

import { signal } from '@preact/signals'
import type { Me } from './types.ts'

export class ApiError extends Error {
  constructor(readonly status: number, readonly type: string, words: string, readonly body?: unknown) {
    super(words)
  }

  /** What could not be read until it failed: why it did may lie there. */
  get warnings(): string[] {
    return (this.body as { warnings?: string[] } | null | undefined)?.warnings ?? []
  }
}

/** Who we are; null while asking, so that nothing flashes. */
export const me = signal<Me | null>(null)
/** When alertd last answered anything, by this browser's clock; 0: never. */
export const heardMs = signal(0)

export function may(scope: 'read' | 'operate' | 'admin'): boolean {
  const who = me.value
  if (!who) return false
  if (who.auth === 'off' || who.scopes.includes('admin')) return true
  return who.scopes.includes(scope) || (scope === 'read' && who.scopes.includes('operate'))
}

const TIMEOUT_MS = 20_000

async function failure(response: Response): Promise<ApiError> {
  const text = await response.text()
  try {
    const body = JSON.parse(text) as { errorType?: string; error?: string }
    return new ApiError(response.status, body.errorType ?? 'error', body.error ?? response.statusText, body)
  } catch {
    return new ApiError(response.status, 'error', text.slice(0, 300) || `${response.status} ${response.statusText}`)
  }
}

export interface CallOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  json?: unknown
  form?: Record<string, string>
  headers?: Record<string, string>
  signal?: AbortSignal
  /** Goes out even when the page is being closed. */
  keepalive?: boolean
  /** How long to wait, where it is not 20 s. */
  limitMs?: number
}

export async function call<T>(path: string, options: CallOptions = {}): Promise<T> {
  const headers: Record<string, string> = { ...options.headers }
  const method = options.method ?? (options.json !== undefined || options.form ? 'POST' : 'GET')
  let body: string | URLSearchParams | undefined
  if (options.json !== undefined) {
    headers['Content-Type'] = 'application/json'
    body = JSON.stringify(options.json)
  } else if (options.form) {
    body = new URLSearchParams(options.form)
  }
  const csrf = me.peek()?.csrf
  if (method !== 'GET' && csrf) headers['X-CSRF-Token'] = csrf

  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(), options.limitMs ?? TIMEOUT_MS)
  options.signal?.addEventListener('abort', () => limit.abort())
  try {
    const response = await fetch(path, {
      method, headers, signal: limit.signal, credentials: 'same-origin',
      ...(body === undefined ? {} : { body }), ...(options.keepalive ? { keepalive: true } : {}),
    })
    heardMs.value = Date.now()
    if (response.status === 401 && !path.endsWith('/login')) void whoAmI()
    if (!response.ok) throw await failure(response)
    if (response.status === 204) return undefined as T
    return (await response.json()) as T
  } catch (error) {
    if (error instanceof ApiError) throw error
    if (options.signal?.aborted) throw new ApiError(0, 'cancelled', 'cancelled')
    throw new ApiError(0, 'unreachable', limit.signal.aborted ? `alertd did not answer within ${(options.limitMs ?? TIMEOUT_MS) / 1000} s` : 'alertd cannot be reached')
  } finally {
    clearTimeout(timer)
  }
}

/** Asks who we are. Whoever is signed out by this sees the login page. */
export async function whoAmI(): Promise<void> {
  try {
    me.value = await call<Me>('/api/alertd/v1/me')
  } catch {
    /* unreachable: the pulse says so, and it is asked again */
  }
}

/** Prometheus' envelope: what is inside, or its error; warnings are kept apart. */
export async function prom<T>(path: string, form: Record<string, string>, options: CallOptions & { base?: string } = {}): Promise<T> {
  const answer = await call<{ data: T }>(`${options.base ?? '/api/v1'}/${path}`, { ...options, form })
  return answer.data
}
