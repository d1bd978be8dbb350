export type Theme = 'light' | 'dark';

const KEY = 'veren.theme';
const systemTheme = (): Theme => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');

export function currentTheme(): Theme {
  const { theme } = document.documentElement.dataset;
  return theme === 'light' || theme === 'dark' ? theme : systemTheme();
}

/** Chooses a theme. The one that the system has anyway is not kept, so that the page goes on following the system. */
export function chooseTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  if (theme === systemTheme()) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, theme);
}
