import { useEffect } from 'preact/hooks';

/** The document's title, by which tabs and screen readers tell pages apart. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Veren`;
  }, [title]);
}
