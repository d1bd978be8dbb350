interface ChoicesProps<T extends string> {
  readonly legend: string;
  readonly hint?: string;
  readonly all: readonly T[];
  readonly titles: Readonly<Record<T, string>>;
  readonly chosen: readonly T[];
  readonly onChange: (chosen: T[]) => void;
}

/** Some of a few things: check boxes with a common title. */
export function Choices<T extends string>({ legend, hint, all, titles, chosen, onChange }: ChoicesProps<T>) {
  return (
    <fieldset class="choices">
      <legend>{legend}</legend>
      {all.map((one) => (
        <label key={one} class="check">
          <input
            type="checkbox"
            checked={chosen.includes(one)}
            onChange={(e) => {
              const { checked } = e.currentTarget;
              onChange(all.filter((other) => (other === one ? checked : chosen.includes(other))));
            }}
          />
          {titles[one]}
        </label>
      ))}
      {hint && <p class="hint">{hint}</p>}
    </fieldset>
  );
}
