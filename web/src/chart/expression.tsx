// A PromQL expression over a range, drawn: asks, aligns, shows, and says what went wrong.

import { useEffect, useState } from 'preact/hooks'
import { ApiError, prom } from '../app/api.ts'
import type { PromResult } from '../app/types.ts'
import { type Columns, stepFor, toColumns } from '../lib/matrix.ts'
import { Trouble, Waiting } from '../ui/parts.tsx'
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
}

/** The steps a graph of this range asks for: multiples of a step that fits the screen. */
export function stepsOf(fromMs: number, toMs: number): { start: string; end: string; step: string } {
  const stepS = stepFor(toMs - fromMs, Math.min(1200, innerWidth))
  return { start: String(Math.floor(fromMs / 1000 / stepS) * stepS), end: String(Math.ceil(toMs / 1000 / stepS) * stepS), step: String(stepS) }
}

export function ExpressionChart({ expr, fromMs, toMs, tick = 0, onError, ...chart }: Props) {
  const [columns, setColumns] = useState<Columns | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  useEffect(() => {
    const asked = new AbortController()
    const steps = stepsOf(fromMs, toMs)
    prom<PromResult>('query_range', { query: expr, ...steps }, { signal: asked.signal })
      .then((answer) => {
        if (answer.resultType === 'matrix') setColumns(toColumns(answer.result, Number(steps.start) * 1000, Number(steps.end) * 1000, Number(steps.step)))
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
  if (!columns) return <Waiting rows={4} />
  return columns.values.length === 0
    ? <p class="no-data dim">No sample in this range.</p>
    : <Chart columns={columns} {...chart} />
}
