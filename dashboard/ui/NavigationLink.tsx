import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface NavigationLinkProps {
  readonly href: string;
  readonly current: boolean;
  readonly children: ComponentChildren;
}

/** A link of a navigation, which says whether it is where one is. */
export function NavigationLink({ href, current, children }: NavigationLinkProps) {
  const link = useRef<HTMLAnchorElement>(null);
  // A narrow screen shows a part of the row only.
  useEffect(() => {
    if (current) link.current?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [current]);
  return (
    <a ref={link} href={href} class="navigation-link" aria-current={current ? 'page' : undefined}>
      {children}
    </a>
  );
}
