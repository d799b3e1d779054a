// The dashboard's entry: who are we, then the shell around the view the address names.
//
//     lib/    pure: times, numbers, filters, the wall's verdict     app/  state, API, keys
//     ui/     the parts all views are made of                       views/ one file a view
//     chart/  uPlot, loaded when a chart is first shown
//
// What changes is a signal; what is shown follows from it and from the address.

import { render } from 'preact'
import 'uplot/dist/uPlot.min.css'
import './style/base.css'
import './style/shell.css'
import './style/parts.css'
import './style/views.css'
import './style/oncall.css'
import './style/paging.css'
import './style/shadow.css'
import { whoAmI } from './app/api.ts'
import { Shell } from './app/shell.tsx'

const app = document.getElementById('app')
if (app) {
  void whoAmI()
  render(<Shell />, app)
}
