// A PromQL expression over a range, drawn: asks, aligns, shows, and says what went wrong.

import { useContext, useEffect, useState } from 'preact/hooks'
import { ApiError, call, prom } from '../app/api.ts'
import type { PromResult, Rollup } from '../app/types.ts'
import { type Columns, stepFor, toColumns } from '../lib/matrix.ts'
import { isBareSelector, ROLLUP_FROM_MS, rollupStep, rollupWords, toBands } from '../lib/rollup.ts'
import { Trouble, Waiting } from '../ui/parts.tsx'
import { AskedOf } from './asked.ts'
import { Chart } from './chart.tsx'
import type { Mark } from './plot.ts'

interface Props {
  expr: string
  fromMs: number
  toMs: number
  what: string
  threshold?: number | null
  marks?: Mark[]
  height?: number
  /** Changes when the same range should be asked for again. */
  tick?: number
  onZoom?: (fromMs: number, toMs: number) => void
  onPick?: (atMs: number) => void
  onError?: (error: ApiError) => void
  /** Series as they are over a long time: their roll-up, and not every sample. */
  rollup?: boolean
  /** The axis shows the whole range, also where there is no sample. */
  whole?: boolean
}

interface Answer { columns: Columns; caption: string }

/** The steps a graph of this range asks for: multiples of a step that fits the screen. */
export function stepsOf(fromMs: number, toMs: number): { start: string; end: string; step: string } {
  const stepS = stepFor(toMs - fromMs, Math.min(1200, innerWidth))
  return { start: String(Math.floor(fromMs / 1000 / stepS) * stepS), end: String(Math.ceil(toMs / 1000 / stepS) * stepS), step: String(stepS) }
}

async function askSamples(expr: string, fromMs: number, toMs: number, signal: AbortSignal, base: string): Promise<Answer | null> {
  const steps = stepsOf(fromMs, toMs)
  const answer = await prom<PromResult>('query_range', { query: expr, ...steps }, { signal, base })
  if (answer.resultType !== 'matrix') return null
  return { columns: toColumns(answer.result, Number(steps.start) * 1000, Number(steps.end) * 1000, Number(steps.step)), caption: '' }
}

async function askRollup(expr: string, fromMs: number, toMs: number, signal: AbortSignal): Promise<Answer> {
  const stepS = rollupStep(toMs - fromMs, Math.min(1200, innerWidth))
  const form = { 'match[]': expr, start: String(fromMs / 1000), end: String(toMs / 1000), step: String(stepS) }
  const { data } = await call<{ data: Rollup }>('/api/alertd/v1/samples/rollup', { form, signal })
  return { columns: toBands(data.result, fromMs, toMs, stepS), caption: rollupWords(data.resolution, stepS) }
}

export function ExpressionChart({ expr, fromMs, toMs, tick = 0, onError, rollup = false, whole = false, ...chart }: Props) {
  const { base } = useContext(AskedOf)
  const [shown, setShown] = useState<Answer | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  useEffect(() => {
    const asked = new AbortController()
    const ask = rollup && toMs - fromMs > ROLLUP_FROM_MS && isBareSelector(expr) ? askRollup : askSamples
    ask(expr, fromMs, toMs, asked.signal, base)
      .then((answer) => {
        if (answer) setShown(answer)
        setError(null)
      })
      .catch((reason: ApiError) => {
        if (reason.type === 'cancelled') return
        setError(reason)
        onError?.(reason)
      })
    return () => asked.abort()
  }, [expr, fromMs, toMs, tick])
  if (error && onError) return null
  if (error) return <Trouble error={error} what="The graph could not be drawn" />
  if (!shown) return <Waiting rows={4} />
  return shown.columns.values.length === 0
    ? <p class="no-data dim">No sample in this range.</p>
    : <Chart {...shown} {...chart} {...(whole ? { span: { fromMs, toMs } } : {})} />
}
