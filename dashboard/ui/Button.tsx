import type { ComponentChildren } from 'preact';

interface ButtonProps {
  readonly kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  readonly type?: 'button' | 'submit';
  readonly onClick?: (event: MouseEvent) => void;
  readonly disabled?: boolean;
  /** Something is under way: the button stays where it is and takes no click. */
  readonly busy?: boolean;
  /** Where the text alone does not say it. */
  readonly label?: string;
  /** Why it is disabled, or what it does. */
  readonly title?: string | undefined;
  readonly children: ComponentChildren;
}

/** A busy button is not `disabled`, since that would take the focus away. */
export function Button({ kind = 'plain', type = 'button', busy = false, label, onClick, ...rest }: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      class={`button button-${kind}`}
      aria-busy={busy}
      aria-disabled={busy}
      aria-label={label}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.(event);
      }}
    />
  );
}
