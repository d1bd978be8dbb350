/**
 * Runs before the first paint, as a script of its own: a module would come after it, and the page would flash in the
 * other theme.
 */
const chosen = localStorage.getItem('veren.theme');
if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
