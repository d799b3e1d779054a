// Runs before the first paint: the theme someone chose is on the page before its colours are.
// Without a choice the style sheet follows the system (prefers-color-scheme).

const chosen = localStorage.getItem('theme')
if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen
