// The gate somebody has to pass: how many pages, and what share of them made sense. Two thin
// bars with their numbers; a line marks what is needed.

import type { Readiness } from '../app/types.ts'
import { Icon } from './icon.tsx'

const WIDTH = 100
const part = (n: number) => WIDTH * Math.max(0, Math.min(1, n))
const percent = (share: number) => Math.round(share * 100)

function Bar({ share, needed, reached }: { share: number; needed: number; reached: boolean }) {
  return (
    <svg viewBox={`0 0 ${WIDTH} 8`} preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width={WIDTH} height="8" /><rect class={reached ? 'reached' : 'part'} width={part(share)} height="8" />
      {needed < 1 && <rect class="needed" x={part(needed) - 0.75} width="1.5" height="8" />}
    </svg>
  )
}

export function GateMeter({ row, verdict = false }: { row: Readiness; verdict?: boolean }) {
  const { needs_pages: pages, needs_sense: needed, passed } = row.gate
  const sense = row.answered > 0 ? row.gate.sense ?? row.made_sense / row.answered : null
  return (
    <span class="gate">
      <span class="gate-line"><Bar share={pages > 0 ? row.answered / pages : 1} needed={1} reached={row.answered >= pages} /><span class="num">{row.answered} of {pages} answered</span></span>
      <span class="gate-line"><Bar share={sense ?? 0} needed={needed} reached={sense !== null && sense > needed} /><span class="num">{sense === null ? 'no answer yet' : `${percent(sense)} % made sense`}<small class="dim"> over {percent(needed)} %</small></span></span>
      {verdict && passed && <span class="state ok"><Icon name="check" size={14} />Passed</span>}
    </span>
  )
}
