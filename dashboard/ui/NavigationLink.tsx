import type { ComponentChildren } from 'preact';

interface NavigationLinkProps {
  readonly href: string;
  readonly current: boolean;
  readonly children: ComponentChildren;
}

/** A link of a navigation, which says whether it is where one is. */
export function NavigationLink({ href, current, children }: NavigationLinkProps) {
  return (
    <a href={href} class="navigation-link" aria-current={current ? 'page' : undefined}>
      {children}
    </a>
  );
}
