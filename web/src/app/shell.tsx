// The frame around every view: where to go, how fresh the page is, what was just done.

import { useEffect, useRef, useState } from 'preact/hooks'
import type { ComponentType, JSX } from 'preact'
import { formatAge } from '../lib/time.ts'
import { reached } from '../lib/verdict.ts'
import { Icon, type IconName } from '../ui/icon.tsx'
import { Alerts } from '../views/alerts.tsx'
import { Incidents } from '../views/incidents.tsx'
import { Login } from '../views/login.tsx'
import { Wall } from '../views/wall.tsx'
import { call, heardMs, me, whoAmI } from './api.ts'
import { overviewNow, pageTitle } from './badge.ts'
import { useData } from './data.ts'
import { Help } from './help.tsx'
import { moveRow, useKey } from './keyboard.ts'
import { ageMs, pulse } from './live.ts'
import { address, go } from './router.ts'
import { isDark, kiosk, now, theme, zone } from './settings.ts'
import { announce, dismiss, spoken, toasts, undoLast } from './toast.ts'
import type { Overview } from './types.ts'

interface Place { path: string; name: string; icon: IconName; keys: string }

const PLACES: Place[] = [
  { path: '/', name: 'Wall', icon: 'wall', keys: 'g w' },
  { path: '/i', name: 'Incidents', icon: 'incidents', keys: 'g i' },
  { path: '/alerts', name: 'Alerts', icon: 'alerts', keys: 'g a' },
  { path: '/oncall', name: 'On call', icon: 'clock', keys: 'g o' },
  { path: '/silences', name: 'Silences', icon: 'mute', keys: 'g s' },
  { path: '/rules', name: 'Rules', icon: 'rules', keys: 'g r' },
  { path: '/services', name: 'Services', icon: 'book', keys: 'g v' },
  { path: '/people', name: 'People', icon: 'person', keys: 'g h' },
  { path: '/shadowing', name: 'Shadowing', icon: 'shadow', keys: 'g l' },
  { path: '/drills', name: 'Drills', icon: 'drill', keys: 'g x' },
  { path: '/readiness', name: 'Readiness', icon: 'ready', keys: 'g c' },
  { path: '/agents', name: 'Agents', icon: 'agents', keys: 'g n' },
  { path: '/deliveries', name: 'Deliveries', icon: 'sent', keys: 'g d' },
  { path: '/report', name: 'Report', icon: 'report', keys: 'g t' },
  { path: '/explore', name: 'Explore', icon: 'explore', keys: 'g e' },
  { path: '/pm', name: 'Postmortems', icon: 'postmortems', keys: 'g p' },
  { path: '/search', name: 'Search', icon: 'search', keys: 'g f' },
]

interface Later<P> { (props: P): JSX.Element; load: () => Promise<void> }

/** A view that comes when it is asked for, or when the first page has nothing left to do. */
function later<P extends object>(fetchView: () => Promise<ComponentType<P>>): Later<P> {
  let loaded: ComponentType<P> | null = null
  const load = async () => { loaded ??= await fetchView() }
  function Waits(props: P) {
    const [, again] = useState(0)
    useEffect(() => { if (!loaded) void load().then(() => again(1)) }, [])
    const View = loaded
    return View ? <View {...props} /> : <div class="waiting"><i /><i /></div>
  }
  return Object.assign(Waits, { load })
}

const Agents = later(async () => (await import('../views/agents.tsx')).Agents)
const DrillPages = later(async () => (await import('../views/drill_pages.tsx')).DrillPages)
const Explore = later(async () => (await import('../views/explore.tsx')).Explore)
const Incident = later(async () => (await import('../views/incident.tsx')).Incident)
const OnCall = later(async () => (await import('../views/oncall.tsx')).OnCall)
const People = later(async () => (await import('../views/people.tsx')).People)
const Postmortem = later(async () => (await import('../views/postmortem.tsx')).Postmortem)
const PostmortemTables = later(async () => (await import('../views/postmortem_tables.tsx')).PostmortemTables)
const Postmortems = later(async () => (await import('../views/postmortems.tsx')).Postmortems)
const Readiness = later(async () => (await import('../views/readiness.tsx')).Readiness)
const Report = later(async () => (await import('../views/report.tsx')).Report)
const Rule = later(async () => (await import('../views/rule.tsx')).Rule)
const Tune = later(async () => (await import('../views/tune.tsx')).Tune)
const Canary = later(async () => (await import('../views/canary.tsx')).Canary)
const Review = later(async () => (await import('../views/review.tsx')).Review)
const Runbook = later(async () => (await import('../views/runbook.tsx')).Runbook)
const Silences = later(async () => (await import('../views/silences.tsx')).Silences)
const Deliveries = later(async () => (await import('../views/deliveries.tsx')).Deliveries)
const Rules = later(async () => (await import('../views/rules.tsx')).Rules)
const Services = later(async () => (await import('../views/services.tsx')).Services)
const Search = later(async () => (await import('../views/search.tsx')).Search)
const Trends = later(async () => (await import('../views/trends.tsx')).TrendsView)
const Shadowing = later(async () => (await import('../views/shadowing.tsx')).Shadowing)
const ShadowPage = later(async () => (await import('../views/shadow_page.tsx')).ShadowPage)

async function loadTheRest(): Promise<void> {
  for (const view of [Incident, Silences, Deliveries, OnCall, Rules, People, Agents, Explore, Report, Postmortems, Rule, Review, Tune, Canary, Services, Search, Trends, Postmortem, Runbook, Shadowing, ShadowPage, Readiness, DrillPages]) await view.load()
}

const under = (place: string, path: string) => (place === '/' ? path === '/' : path === place || path.startsWith(`${place}/`))

/** Addresses as the API spells them lead here too: documents link to them. */
const LONG_NAMES: [RegExp, string][] = [[/^\/incidents(?=\/|$)/, '/i'], [/^\/postmortems(?=\/|$)/, '/pm']]

function View() {
  const asked = address.value.pathname
  const path = LONG_NAMES.reduce((name, [long, short]) => name.replace(long, short), asked)
  useEffect(() => { if (path !== asked) go(path + address.peek().search, { replace: true }) }, [asked])
  const [, first, second, third] = path.split('/').map(decodeURIComponent)
  if (path === '/') return <Wall />
  if (first === 'i') return second ? <Incident key={second} id={second} /> : <Incidents />
  if (first === 'alerts' && !second) return <Alerts />
  if (first === 'rules' && second === 'review') return <Review />
  if (first === 'rules' && second && third === 'tune') return <Tune key={second} id={second} />
  if (first === 'rules' && second && third === 'canary') return <Canary key={second} id={second} />
  if (first === 'rules') return second ? <Rule key={second} id={second} /> : <Rules />
  if (first === 'runbooks' && second) return <Runbook key={second} id={second} />
  if (first === 'services') return <Services id={second} />
  if (first === 'silences' && !second) return <Silences />
  if (first === 'deliveries' && !second) return <Deliveries />
  if (first === 'oncall' && !second) return <OnCall />
  if (first === 'people' && !second) return <People />
  if (first === 'shadowing') return second ? <ShadowPage key={second} id={second} /> : <Shadowing />
  if (first === 'drills') return <DrillPages first={second} second={third} />
  if (first === 'readiness') return <Readiness person={second} />
  if (first === 'agents' && !second) return <Agents />
  if (first === 'explore' && !second) return <Explore />
  if (first === 'report' && !second) return <Report />
  if (first === 'search' && !second) return <Search />
  if (first === 'pm' && second === 'trends') return <Trends />
  if (first === 'pm' && second === 'tables') return <PostmortemTables />
  if (first === 'pm') return second ? <Postmortem key={second} id={second} /> : <Postmortems />
  pageTitle.value = 'Not here'
  return <div class="empty"><h1>There is no such page</h1><p><a href="/">Back to the wall</a></p></div>
}

function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M8 10l3.500 12L16 13l4.500 9L24 10" fill="none" stroke-width="2.600" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  )
}

function Pulse() {
  const tone = pulse.value
  const age = formatAge(ageMs.value)
  const words = tone === 'live' ? 'Live' : tone === 'late' ? `${age} old` : 'No word from alertd'
  return (
    <span class={`pulse ${tone}`} title={`alertd last answered ${age} ago`}>
      <i key={heardMs.value} aria-hidden="true" />{words}
    </span>
  )
}

function Switches() {
  const next = { system: 'light', light: 'dark', dark: 'system' } as const
  const themeIcon = { system: 'auto', light: 'sun', dark: 'moon' } as const
  return (
    <div class="switches">
      <button type="button" class="quiet" title={`Theme: ${theme.value}`} aria-label={`Theme: ${theme.value}. Change it`} onClick={() => { theme.value = next[theme.value] }}>
        <Icon name={themeIcon[theme.value]} />
      </button>
      <button type="button" class="quiet zone" title={zone.value === 'utc' ? 'Times are UTC' : 'Times are local'} aria-label={zone.value === 'utc' ? 'Times are UTC. Show local times' : 'Times are local. Show UTC'} onClick={() => { zone.value = zone.value === 'utc' ? 'local' : 'utc' }}>
        <Icon name="globe" /><span>{zone.value === 'utc' ? 'UTC' : 'Local'}</span>
      </button>
      <button type="button" class="quiet" title="Keys (?)" aria-label="Show all keys" onClick={() => { Help.open() }}><Icon name="keyboard" /></button>
    </div>
  )
}

async function logOut(): Promise<void> {
  await call('/api/alertd/v1/logout', { method: 'POST' })
  await whoAmI()
  go('/login')
}

function Rail({ waiting }: { waiting: number }) {
  const path = address.value.pathname
  return (
    <nav class="rail" aria-label="Views">
      <a class="brand" href="/"><Logo /><span>Watchbill</span></a>
      <ul>
        {PLACES.map((place) => (
          <li key={place.path}>
            <a href={place.path} aria-current={under(place.path, path) ? 'page' : undefined} title={`${place.name} (${place.keys})`}>
              <Icon name={place.icon} /><span>{place.name}</span>
              {place.path === '/i' && waiting > 0 && <b class="count" aria-label={`${waiting} not acknowledged`}>{waiting}</b>}
            </a>
          </li>
        ))}
      </ul>
      <div class="rail-foot">
        <Pulse />
        <Switches />
        {me.value?.auth === 'required' && me.value.name && (
          <div class="who"><Icon name="person" size={16} /><span title={me.value.scopes.join(', ')}>{me.value.name}</span>
            <button type="button" class="quiet" aria-label="Log out" title="Log out" onClick={() => { void logOut() }}><Icon name="leave" size={16} /></button></div>
        )}
      </div>
    </nav>
  )
}

/** The phone's: five places under the thumb, the rest behind "More". */
function Tabs({ waiting }: { waiting: number }) {
  const path = address.value.pathname
  const [open, setOpen] = useState(false)
  const shown = PLACES.slice(0, 4)
  const rest = PLACES.slice(4)
  useEffect(() => setOpen(false), [path])
  return (
    <>
      {open && (
        <div class="sheet">
          <ul>{rest.map((place) => <li key={place.path}><a href={place.path} aria-current={under(place.path, path) ? 'page' : undefined}><Icon name={place.icon} />{place.name}</a></li>)}</ul>
          <Switches />
          {me.value?.auth === 'required' && me.value.name && <button type="button" class="quiet" onClick={() => { void logOut() }}><Icon name="leave" /> Log out {me.value.name}</button>}
        </div>
      )}
      <nav class="tabs" aria-label="Views">
        {shown.map((place) => (
          <a key={place.path} href={place.path} aria-current={under(place.path, path) ? 'page' : undefined}>
            <Icon name={place.icon} size={21} /><span>{place.name}</span>
            {place.path === '/i' && waiting > 0 && <b class="count" aria-label={`${waiting} not acknowledged`}>{waiting}</b>}
          </a>
        ))}
        <button type="button" aria-expanded={open} onClick={() => setOpen(!open)} class={rest.some((place) => under(place.path, path)) ? 'here' : ''}>
          <Icon name="more" size={21} /><span>More</span>
        </button>
      </nav>
    </>
  )
}

const toneOf = (level: string) => level === 'bad' || level === 'error' ? 'bad' : level === 'info' ? 'info' : 'warn'

function Banners({ overview }: { overview: Overview | undefined }) {
  const banners = [...(overview?.banners ?? [])]
  if (me.value?.auth === 'off' && !banners.some((banner) => /authentication/i.test(banner.text))) {
    banners.unshift({ level: 'warn', text: 'Authentication is off: anyone who can reach this address can acknowledge and resolve.' })
  }
  if (overview && reached(overview).length === 0 && !banners.some((banner) => /receiver/i.test(banner.text))) {
    banners.push({ level: 'warn', text: 'Nobody is told when something breaks: configure a receiver.' })
  }
  if (pulse.value !== 'live' && overview) {
    banners.unshift({ level: pulse.value === 'lost' ? 'bad' : 'warn', text: `No answer from alertd for ${formatAge(ageMs.value)}: what is shown is from then.` })
  }
  const shown = banners.filter((banner) => banner.level !== 'info' || address.value.pathname === '/') // what is only good to know stands on the wall
  if (shown.length === 0) return null
  return <div class="banners">{shown.map((banner) => <p key={banner.text} class={`banner ${toneOf(banner.level)}`}><Icon name={banner.level === 'info' ? 'note' : 'alarm'} size={16} />{banner.text}</p>)}</div>
}

function Toasts() {
  return (
    <div class="toasts">
      {toasts.value.map((toast) => (
        <div key={toast.id} class={`toast ${toast.tone}`} role={toast.tone === 'bad' ? 'alert' : 'status'}>
          <span>{toast.text}</span>
          {toast.undo && <button type="button" onClick={toast.undo}>Undo</button>}
          <button type="button" class="quiet" aria-label="Dismiss" onClick={() => (toast.undo ? undefined : dismiss(toast.id))} hidden={toast.undo !== undefined}><Icon name="cross" size={14} /></button>
        </div>
      ))}
    </div>
  )
}

/** Tells those who listen about incidents that were not there before. */
function useAnnouncements(overview: Overview | undefined) {
  const known = useRef<Set<string> | null>(null)
  useEffect(() => {
    if (!overview) return
    const keys = new Set(overview.open_incidents.map((incident) => incident.key))
    for (const incident of overview.open_incidents) {
      if (known.current && !known.current.has(incident.key)) {
        announce(`New incident ${incident.key}: ${incident.title}`, incident.severity === 'critical' ? 'assertive' : 'polite')
      }
    }
    known.current = keys
  }, [overview])
}

function ShellKeys() {
  useKey('?', 'Show all keys', () => Help.open(), 'Everywhere')
  for (const place of PLACES) useKey(place.keys, `Go to ${place.name}`, () => go(place.path), 'Everywhere')
  useKey('j', 'Next row', () => moveRow(1), 'Everywhere')
  useKey('k', 'Previous row', () => moveRow(-1), 'Everywhere')
  useKey('u', 'Undo', undoLast, 'Everywhere')
  useKey('/', 'Filter', () => document.querySelector<HTMLElement>('#main [data-filter]')?.focus(), 'Everywhere')
  useKey('d k', 'Kiosk: the view alone', () => { kiosk.value = !kiosk.value }, 'Everywhere')
  useKey('t l', 'Local or UTC times', () => { zone.value = zone.value === 'utc' ? 'local' : 'utc' }, 'Everywhere')
  useKey('t t', 'Light or dark', () => { theme.value = isDark.value ? 'light' : 'dark' }, 'Everywhere')
  return null
}

function Inside() {
  const overview = useData<Overview>('/api/alertd/v1/overview', ['incident', 'alerts', 'agents', 'rules'], 10_000).value
  useEffect(() => { overviewNow.value = overview }, [overview])
  useAnnouncements(overview)
  useEffect(() => {
    const timer = setTimeout(() => { loadTheRest().catch(() => undefined) }, 2000)
    return () => clearTimeout(timer)
  }, [])
  const waiting = overview?.open_incidents.filter((incident) => incident.status === 'triggered').length ?? 0
  return (
    <div class={`shell ${pulse.value}`}>
      <a class="skip" href="#main">Skip to the view</a>
      <ShellKeys />
      <Rail waiting={waiting} />
      <header class="bar"><a class="brand" href="/"><Logo /><span>Watchbill</span></a><Pulse /></header>
      <div class="body">
        <Banners overview={overview} />
        <main id="main" tabIndex={-1}><View /></main>
      </div>
      <Tabs waiting={waiting} />
      <Toasts />
      <Help />
      <div class="hidden" aria-live="polite">{spoken.value.polite}</div>
      <div class="hidden" aria-live="assertive">{spoken.value.assertive}</div>
    </div>
  )
}

/** Asks again while alertd does not answer at all. */
function Knocking() {
  const tick = Math.floor(now.value / 3000)
  useEffect(() => { if (!me.value) void whoAmI() }, [tick])
  return <div class="knocking" role="status"><Logo /><p>Asking alertd …</p></div>
}

export function Shell() {
  const who = me.value
  const path = address.value.pathname
  const inside = who !== null && (who.auth === 'off' || who.scopes.length > 0)
  useEffect(() => {
    if (who && !inside && path !== '/login') go(`/login?next=${encodeURIComponent(path + address.value.search)}`, { replace: true })
    if (inside && path === '/login') go(safeNext(address.value.searchParams.get('next')), { replace: true })
  }, [who, inside, path])
  if (!who) return <Knocking />
  return inside && path !== '/login' ? <Inside /> : <Login />
}

/** Only a path of ours: a login link can't send anyone elsewhere. */
function safeNext(next: string | null): string {
  return next && /^\/(?![/\\])/.test(next) ? next : '/'
}
