// The style of views that come later comes with them: the shell need not carry it.

const adopted = new Set<string>()

/** Once for each text, however many views bring it. */
export function adopt(text: string): void {
  if (adopted.has(text)) return
  adopted.add(text)
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(text)
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]
}
