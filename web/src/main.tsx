// The dashboard's entry.

import { render } from 'preact'
import './style/base.css'

function Shell() {
  return <h1>Watchbill</h1>
}

const app = document.getElementById('app')
if (app) render(<Shell />, app)
