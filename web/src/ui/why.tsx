// "Why?": the way of an alert through everything that decides whether somebody is told, as a
// ladder; now, or by a moment that is over.

import { useEffect, useState } from 'preact/hooks'
import { ApiError, call } from '../app/api.ts'
import { mark, parseMoment, type WhyMark } from '../lib/why.ts'
import { Dialog } from './dialog.tsx'
import { Icon, type IconName } from './icon.tsx'
import { Labels, Missing, type Tone, Trouble, Waiting } from './parts.tsx'

interface WhyStep { step: string; result: string; because: string; receiver: string | null; evidence: Record<string, unknown> }
interface WhyAnswer {
  alert: { fingerprint: string; name: string | null; labels: Record<string, string>; state: string; incident: string | null; others: { fingerprint: string; labels: Record<string, string> }[] }
  at: string
  past: boolean
  verdict: string
  words: string
  steps: WhyStep[]
  warnings: string[]
}
/** Which alert: one of the three. */
export type WhyOf = { labels: Record<string, string>; supposed?: string } | { fingerprint: string } | { incident: string }

const MARKS: Record<WhyMark, { icon: IconName; tone: Tone; words: string }> = {
  stops: { icon: 'cross', tone: 'bad', words: 'stops it' },
  passes: { icon: 'check', tone: 'ok', words: 'lets it through' },
  waits: { icon: 'clock', tone: 'warn', words: 'waits' },
  unknown: { icon: 'question', tone: 'idle', words: 'not known' },
  neutral: { icon: 'chevron', tone: 'idle', words: '' },
}
const VERDICTS: Record<string, WhyMark> = { sent: 'passes', 'would be sent': 'passes', waiting: 'waits', 'not known': 'unknown' }

function Mark({ of }: { of: WhyMark }) {
  const { icon, tone, words } = MARKS[of]
  return <span class={`state ${tone}`}><Icon name={icon} size={14} />{words && <span class="hidden">{words}</span>}</span>
}

function Step({ step }: { step: WhyStep }) {
  const of = mark(step.result)
  const grouped = step.step === 'group' || step.step === 'interval'
  return (
    <li class={of}>
      <Mark of={of} />
      <span class="why-step"><b>{step.step}</b> <span class="dim">{step.result}</span></span>
      <span class="why-because">{grouped && step.receiver && <b>{step.receiver}: </b>}{step.because}</span>
    </li>
  )
}

function Ladder({ answer, onOther }: { answer: WhyAnswer; onOther: (of: WhyOf) => void }) {
  const verdict = VERDICTS[answer.verdict] ?? 'stops'
  return (
    <>
      <p class={`why-words ${MARKS[verdict].tone}`}><span class={`state ${MARKS[verdict].tone}`}><Icon name={MARKS[verdict].icon} size={14} />{answer.verdict}</span> {answer.words}</p>
      <p class="why-labels"><Labels labels={answer.alert.labels} /></p>
      <Missing warnings={answer.warnings} />
      <ol class="why-ladder">{answer.steps.map((step, i) => <Step key={i} step={step} />)}</ol>
      <p class="dim">By {answer.at.slice(0, 19).replace('T', ' ')} UTC{answer.past && ', by what was so then'}.</p>
      {answer.alert.others.length > 0 && (
        <details><summary>{answer.alert.others.length === 20 ? '20 or more' : answer.alert.others.length} other alerts are meant as well</summary>
          <ul class="why-others">{answer.alert.others.map((other) => (
            <li key={other.fingerprint}><button type="button" class="quiet" onClick={() => onOther({ fingerprint: other.fingerprint })}>Why?</button> <Labels labels={other.labels} /></li>
          ))}</ul></details>
      )}
    </>
  )
}

function WhyDialog({ of: asked, at: askedAt, onClose }: { of: WhyOf; at: string; onClose: () => void }) {
  const [of, setOf] = useState(asked)
  const [at, setAt] = useState(askedAt)
  const [answer, setAnswer] = useState<WhyAnswer | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  const moment = parseMoment(at)
  const ask = new URLSearchParams(Object.entries(of).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]))
  if (moment) ask.set('at', moment)
  const path = `/api/alertd/v1/why?${ask}`
  useEffect(() => {
    const stop = new AbortController()
    setError(null)
    call<WhyAnswer>(path, { signal: stop.signal }).then(setAnswer, (failed: unknown) => {
      if (!stop.signal.aborted) setError(failed instanceof ApiError ? failed : new ApiError(0, 'error', String(failed)))
    })
    return () => stop.abort()
  }, [path])
  return (
    <Dialog title="Why was it sent, or not?" onClose={onClose}>
      <div class="why">
        <label class="why-at"><span>At, your time</span><input type="datetime-local" step="1" value={at} onInput={(event) => setAt(event.currentTarget.value)} />
          {at && <button type="button" class="quiet" onClick={() => setAt('')}>Now</button>}</label>
        {error ? <Trouble error={error} what="Why could not be told" /> : answer ? <Ladder answer={answer} onOther={setOf} /> : <Waiting />}
      </div>
    </Dialog>
  )
}

/** at: as datetime-local has it; "" is now. */
export function Why({ of, at = '' }: { of: WhyOf; at?: string }) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <button type="button" class="quiet why-button" title="Why was it sent, or not?" onClick={() => setOpen(true)}>Why?</button>
      {open && <WhyDialog of={of} at={at} onClose={() => setOpen(false)} />}
    </>
  )
}
