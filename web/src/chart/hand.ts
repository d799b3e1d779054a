// Whether a hand is on something that is dragged: until it lets go nothing is asked.

import { signal } from '@preact/signals'

export const hand = signal(false)
