import { Field } from './Field.tsx';

interface TextFieldProps {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly error?: string | undefined;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly type?: 'text' | 'password';
  readonly placeholder?: string | undefined;
  readonly inputMode?: 'text' | 'numeric' | 'url';
}

/** One line of text that is a name, a path or a command: the browser neither corrects nor remembers it. */
export function TextField({ label, hint, error, onChange, type = 'text', ...rest }: TextFieldProps) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(props) => (
        <input
          {...props}
          {...rest}
          {...(type === 'password' ? { type, autocomplete: 'new-password' } : { autocomplete: 'off' })}
          autocapitalize="off"
          spellcheck={false}
          onInput={(e) => onChange(e.currentTarget.value)}
        />
      )}
    </Field>
  );
}
