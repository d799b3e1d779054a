// What a query cost: its tree as a table, each row one node with a bar of its time.

import { useEffect, useState } from 'preact/hooks'
import { ApiError, call } from '../app/api.ts'
import type { ExplainAnswer } from '../app/types.ts'
import { type ExplainRow, explainRows, formatBytes, formatCost, formatShare } from '../lib/explain.ts'
import { count } from '../lib/number.ts'
import { Measured } from '../ui/bar.tsx'
import { Panel, Trouble, Waiting } from '../ui/parts.tsx'

const DEPTH_DRAWN_MAX = 12
const number = (n: number) => n.toLocaleString('en')

/** The bar's dark part is the node's own time, the light one that of all below it. */
function Row({ row: { node, depth, own, whole } }: { row: ExplainRow }) {
  const ran = node.evaluations > 0
  return (
    <tr class={node.hottest ? 'hottest' : ''}>
      <td class={`wrap tree in${Math.min(depth, DEPTH_DRAWN_MAX)}`}><div class="branch"><code>{node.label}</code>{node.hottest && <> <span class="severity bad">hottest</span></>}</div></td>
      <td class="num right" data-head="Own">{ran && <Measured part={own} around={whole} beside={<span class="dim">{formatShare(own)}</span>}>{formatCost(node.self_ms)}</Measured>}</td>
      <td class="num right" data-head="In all">{ran && formatCost(node.total_ms)}</td>
      <td class="num right" data-head="Series">{ran && number(node.series)}</td>
      <td class="num right" data-head="Points">{ran && number(node.points)}</td>
      <td class="num right" data-head="Samples">{ran && number(node.samples)}</td>
    </tr>
  )
}

function Tree({ answer }: { answer: ExplainAnswer }) {
  return (
    <>
      <table class="list explain">
        <thead><tr><th>Part</th><th class="right">Own time</th><th class="right">In all</th><th class="right">Series</th><th class="right">Points</th><th class="right">Samples read</th></tr></thead>
        <tbody>{explainRows(answer.tree).map((row, i) => <Row key={i} row={row} />)}</tbody>
      </table>
      <p class="foot dim">{count(answer.series, 'series', 'series')} and {count(answer.points, 'point')} at {count(answer.steps, 'step')} from {count(answer.samples, 'sample')}, in {formatCost(answer.total_ms)} with {formatBytes(answer.bytes)}.</p>
    </>
  )
}

/** form: the parameters of the query that is shown above. */
export function Explain({ form, tick }: { form: Record<string, string>; tick: number }) {
  const [answer, setAnswer] = useState<ExplainAnswer | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  const key = JSON.stringify(form)
  useEffect(() => {
    const asked = new AbortController()
    call<ExplainAnswer>('/api/alertd/v1/explain', { form, signal: asked.signal })
      .then((data) => { setAnswer(data); setError(null) })
      .catch((reason: ApiError) => { if (reason.type !== 'cancelled') setError(reason) })
    return () => asked.abort()
  }, [key, tick])
  return (
    <div class="cost"><Panel title="What it costs" aside={<span class="dim">evaluated once more, watched</span>}>
      {error ? <Trouble error={error} what="The query could not be explained" /> : answer ? <Tree answer={answer} /> : <Waiting />}
    </Panel></div>
  )
}
