import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { useSession } from '../session/SessionContext.ts';
import { endSession } from '../session/token.ts';
import { Button } from '../ui/Button.tsx';
import { NavigationLink } from '../ui/NavigationLink.tsx';
import { paths } from './paths.ts';
import { chooseTheme, currentTheme } from './theme.ts';

/** What is around every page: navigation, the theme, who has signed in. */
export function Frame({ children }: { readonly children: ComponentChildren }) {
  const { caller, may } = useSession();
  const { path } = useLocation();
  const inProjects = path === paths.base || /^\/dashboard\/(projects|deployments|deploy)(\/|$)/.test(path);
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href={paths.projects}>
          <Mark />
          Veren
        </a>
        <nav class="links" aria-label="Main">
          <NavigationLink href={paths.projects} current={inProjects}>
            Projects
          </NavigationLink>
          <NavigationLink href={paths.queue} current={path === paths.queue}>
            Queue
          </NavigationLink>
          <NavigationLink href={paths.people} current={path === paths.people}>
            People
          </NavigationLink>
          {may('admin') && (
            <NavigationLink href={paths.audit} current={path === paths.audit}>
              Audit
            </NavigationLink>
          )}
          <a class="navigation-link" href="/docs">
            API
          </a>
        </nav>
        <div class="top-end">
          <ThemeSwitch />
          <span class="who" title={`Token "${caller.name}" of ${caller.owner}, scope ${caller.scope}`}>
            {caller.name}
          </span>
          <Button kind="quiet" onClick={() => endSession('signedOut')}>
            Sign out
          </Button>
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

function ThemeSwitch() {
  const [theme, setTheme] = useState(currentTheme);
  const next = theme === 'dark' ? 'light' : 'dark';
  return (
    <button
      type="button"
      class="button button-quiet theme-switch"
      aria-label={`Switch to the ${next} theme`}
      onClick={() => {
        chooseTheme(next);
        setTheme(next);
      }}
    >
      <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
        <circle cx="10" cy="10" r="7" fill="none" stroke="currentColor" stroke-width="1.8" />
        <path d="M10 3a7 7 0 0 1 0 14z" fill="currentColor" />
      </svg>
    </button>
  );
}

const Mark = () => (
  <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
    <rect width="32" height="32" rx="8" class="mark-ground" />
    <path d="M8 9h4.2L16 19l3.8-10H24l-6.2 15h-3.6z" class="mark-letter" />
  </svg>
);
