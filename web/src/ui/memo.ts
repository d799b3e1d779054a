// A view drawn again only when its properties differ. Not preact/compat's: that one, once it is anywhere in the bundle,
// turns every field's onChange into onInput, and what was to wait for Enter is done at each letter.

import { Component, h, type ComponentChildren, type FunctionComponent } from 'preact'

export function memo<P extends object>(view: FunctionComponent<P>, isSame: (a: P, b: P) => boolean) {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      return !isSame(this.props as P, next)
    }

    override render(): ComponentChildren {
      return h(view, this.props as P)
    }
  }
}
