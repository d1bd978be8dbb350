import type { ComponentChildren } from 'preact';

interface ExternalLinkProps {
  /** From a record or a setting: anything. */
  readonly href: string;
  readonly children?: ComponentChildren;
}

/** A link to a site or repository in a tab of its own. What is no http(s) address is shown as text. */
export function ExternalLink({ href, children = href }: ExternalLinkProps) {
  if (!isWebAddress(href)) return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer" class="external">
      {children}
      <span class="visually-hidden"> (opens in a new tab)</span>
    </a>
  );
}

export function isWebAddress(text: string): boolean {
  try {
    return /^https?:$/.test(new URL(text).protocol);
  } catch {
    return false;
  }
}
