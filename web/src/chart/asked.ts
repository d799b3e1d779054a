// Of what the graphs below ask: the samples of this place, or those of a drill, whose times are
// told in its own zone.

import { createContext } from 'preact'
import type { Zone } from '../lib/time.ts'

export interface Asked { base: string; zone: Zone | null }
export const AskedOf = createContext<Asked>({ base: '/api/v1', zone: null })
