// Readiness: who is how far on the way to being on call alone. It counts and advises; mentors decide.

import { pageTitle } from '../app/badge.ts'
import { useData } from '../app/data.ts'
import { isMe, nameOf, READINESS, TOPICS } from '../app/shadow.ts'
import type { Readiness as Row } from '../app/types.ts'
import { count } from '../lib/number.ts'
import { missing } from '../lib/shadow.ts'
import { GateMeter } from '../ui/gate.tsx'
import { Icon } from '../ui/icon.tsx'
import { Empty, Page, Panel, Shown } from '../ui/parts.tsx'
import { ReadinessPerson } from './readiness_person.tsx'

function BoardRow({ row }: { row: Row }) {
  const to = `/readiness/${encodeURIComponent(row.person)}`
  return (
    <tr>
      <td class="board-name"><a data-row href={to}><b>{nameOf(row)}</b></a>{isMe(row.person) && <span class="dim"> you</span>}</td>
      <td class="board-gate"><GateMeter row={row} /></td>
      <td class="num right" data-head="Pages">{row.pages}</td>
      <td class="num right" data-head="At night">{row.night_pages}</td>
      <td class="num right" data-head="Items done">{row.items_done}<span class="dim"> of {row.items}</span></td>
      <td class="num right" data-head="Signed">{row.items_signed}</td>
      <td class="wide board-next">{row.gate.passed && <span class="state ok"><Icon name="check" size={14} />Gate passed</span>} <span class="dim">{missing(row)[0] ?? 'Nothing is missing.'}</span></td>
    </tr>
  )
}

function Board() {
  pageTitle.value = 'Readiness'
  const data = useData<{ people: Row[] }>(READINESS, TOPICS)
  const ready = data.value?.people.filter((row) => row.gate.passed && row.items_signed === row.items).length ?? 0
  return (
    <Page title="Readiness" lead={ready > 0 ? `${count(ready, 'person', 'people')} with nothing missing. The mentor decides, not the count.` : 'How far everybody is on the way to being on call alone. The mentor decides, not the count.'}
          actions={<a class="button" href="/shadowing">Shadowing</a>}>
      <Shown data={data} what="Readiness could not be read">{({ people }) => (
        <Panel label="People">
          {people.length === 0
            ? <Empty icon="check" title="Nobody is learning yet"><p>Whoever shadows somebody has a line here: pages they got, how many made sense to them, and a list their mentor signs. <a href="/shadowing">Add a shadow</a>.</p></Empty>
            : <table class="list board"><thead><tr><th>Who</th><th>Gate</th><th class="right">Pages</th><th class="right">At night</th><th class="right">Items done</th><th class="right">Signed</th><th>Next</th></tr></thead>
                <tbody>{people.map((row) => <BoardRow key={row.person} row={row} />)}</tbody></table>}
        </Panel>
      )}</Shown>
    </Page>
  )
}

export function Readiness({ person }: { person: string | undefined }) {
  return person ? <ReadinessPerson key={person} person={person} /> : <Board />
}
