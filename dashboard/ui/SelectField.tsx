import { Field } from './Field.tsx';

interface SelectFieldProps<T extends string> {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly options: Readonly<Record<T, string>>;
  readonly value: T;
  readonly onChange: (value: T) => void;
}

/** One of a few things. */
export function SelectField<T extends string>({ label, hint, options, value, onChange }: SelectFieldProps<T>) {
  return (
    <Field label={label} hint={hint}>
      {(props) => (
        <select {...props} value={value} onChange={(e) => onChange(e.currentTarget.value as T)}>
          {(Object.keys(options) as T[]).map((one) => (
            <option key={one} value={one}>
              {options[one]}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
