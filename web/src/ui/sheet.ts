// A style sheet that comes with its view: the first page does not pay for it. Adopted, not written
// into the page, so that the content security policy has nothing against it.

const adopted = new Set<string>()

export function adopt(text: string): void {
  if (adopted.has(text)) return
  adopted.add(text)
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(text)
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]
}
