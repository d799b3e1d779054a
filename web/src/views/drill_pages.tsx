// All pages of the drills come together, when the first of them is asked for.

import sheet from '../style/drills.later.css'
import { Empty } from '../ui/parts.tsx'
import { adopt } from '../ui/sheet.ts'
import { DrillEditor } from './drill_editor.tsx'
import { DrillMaster } from './drill_master.tsx'
import { DrillOver } from './drill_over.tsx'
import { DrillPlay } from './drill_play.tsx'
import { DrillPractice } from './drill_practice.tsx'
import { Drills } from './drills.tsx'

adopt(sheet)

/** /drills, /drills/practice, /drills/library/NAME, /drills/N, /drills/N/play, /drills/N/master */
export function DrillPages({ first, second }: { first: string | undefined; second: string | undefined }) {
  if (!first) return <Drills />
  if (first === 'practice') return <DrillPractice />
  if (first === 'library' && second) return <DrillEditor key={second} name={second} />
  if (/^\d+$/.test(first)) {
    if (second === 'play') return <DrillPlay key={first} id={first} />
    if (second === 'master') return <DrillMaster key={first} id={first} />
    if (!second) return <DrillOver key={first} id={first} />
  }
  return <Empty icon="drill" title="There is no such page"><p><a href="/drills">All drills</a></p></Empty>
}
