import { useEffect, useState } from 'preact/hooks';
import { notify } from './Toasts.tsx';

/** A value that is to be taken elsewhere, with a button that copies it. */
export function CopyText({ text, what }: { readonly text: string; readonly what: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => notify('warn', 'The browser did not allow copying. Select the text and copy it by hand.'),
    );
  return (
    <span class="copy">
      <code>{text}</code>
      <button type="button" class="button button-quiet" aria-label={`Copy ${what}`} onClick={copy}>
        {copied ? 'Copied' : 'Copy'}
      </button>
    </span>
  );
}
