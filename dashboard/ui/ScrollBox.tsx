import type { ComponentChildren, RefObject } from 'preact';

interface ScrollBoxProps {
  readonly class: string;
  /** What is in it. */
  readonly label: string;
  readonly onScroll?: (box: HTMLElement) => void;
  readonly boxRef?: RefObject<HTMLElement | null>;
  readonly children: ComponentChildren;
}

/** A part of the page that scrolls by itself; it takes the focus, so that the keyboard can scroll it. */
export function ScrollBox({ class: name, label, onScroll, boxRef, children }: ScrollBoxProps) {
  return (
    <section
      {...(boxRef && { ref: boxRef })}
      class={name}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: without the focus no key would scroll it
      tabIndex={0}
      onScroll={(event) => onScroll?.(event.currentTarget)}
    >
      {children}
    </section>
  );
}
