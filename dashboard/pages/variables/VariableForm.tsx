import { useState } from 'preact/hooks';
import type { Environment } from '../../../contract/lanes.ts';
import type { SeenBy, VariableList, VariableView } from '../../../contract/project-variables.ts';
import { setVariables } from '../../api/variables.ts';
import { Button } from '../../ui/Button.tsx';
import { Choices } from '../../ui/Choices.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Field } from '../../ui/Field.tsx';
import { FormFailure } from '../../ui/FormFailure.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { useSubmit } from '../../ui/useSubmit.ts';
import { parseDotenv } from './parseDotenv.ts';
import { ENVIRONMENT_TITLES, ENVIRONMENTS, SEEN_BY, SEEN_BY_TITLES } from './titles.ts';

interface VariableFormProps {
  readonly projectId: string;
  /** `many`: the text of a `.env` file. Otherwise a new one, or the one that is changed. */
  readonly of: 'new' | 'many' | VariableView;
  readonly onSaved: (list: VariableList) => void;
  readonly onClose: () => void;
}

/** Sets one variable, or many in one step. The value of a secret is never there to be changed, only replaced. */
export function VariableForm({ projectId, of, onSaved, onClose }: VariableFormProps) {
  const changed = typeof of === 'object' ? of : undefined;
  const [name, setName] = useState(changed?.name ?? '');
  const [text, setText] = useState(changed?.value ?? '');
  const [secret, setSecret] = useState(changed?.secret ?? of === 'many');
  const [environments, setEnvironments] = useState<readonly Environment[]>(changed?.environments ?? ENVIRONMENTS);
  const [seenBy, setSeenBy] = useState<readonly SeenBy[]>(changed?.seenBy ?? SEEN_BY);
  const many = of === 'many' ? parseDotenv(text) : null;
  const env = many ? many.env : { [name.trim()]: text };
  const count = Object.keys(env).length;
  const { busy, submit, faultOf, error } = useSubmit(async () => {
    const request = { env, secret, environments: [...environments], seenBy: [...seenBy] };
    onSaved(await setVariables(projectId, request));
    onClose();
  }, 'The variables are stored. The next deployment has them.');
  const title = changed ? `Change ${changed.name}` : many ? 'Add from a .env file' : 'Add a variable';
  const incomplete = many ? count === 0 || many.faults.length > 0 : name.trim() === '';

  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit} noValidate>
        {!many && !changed && (
          <Field label="Name" error={faultOf(`env.${name.trim()}`) ?? faultOf('env')}>
            {(props) => (
              <input
                {...props}
                value={name}
                autocomplete="off"
                autocapitalize="off"
                spellcheck={false}
                onInput={(e) => setName(e.currentTarget.value)}
              />
            )}
          </Field>
        )}
        <Field
          label={many ? 'Lines of NAME=value' : 'Value'}
          hint={changed?.secret ? 'What is stored is never shown. What you enter replaces it.' : undefined}
        >
          {(props) => (
            <textarea
              {...props}
              rows={many ? 8 : 3}
              value={text}
              autocomplete="off"
              spellcheck={false}
              onInput={(e) => setText(e.currentTarget.value)}
            />
          )}
        </Field>
        {many && many.faults.length > 0 && (
          <Notice kind="warn">
            <ul class="faults">
              {many.faults.map(({ line, text: fault }) => (
                <li key={line}>
                  Line {line}: {fault}
                </li>
              ))}
            </ul>
          </Notice>
        )}
        <label class="check">
          <input type="checkbox" checked={secret} onChange={(e) => setSecret(e.currentTarget.checked)} />
          Secret: never shown again, masked in logs, not given to pull requests of forks
        </label>
        <div class="form-row">
          <Choices
            legend="Environments"
            all={ENVIRONMENTS}
            titles={ENVIRONMENT_TITLES}
            chosen={environments}
            onChange={setEnvironments}
          />
          <Choices legend="Seen by" all={SEEN_BY} titles={SEEN_BY_TITLES} chosen={seenBy} onChange={setSeenBy} />
        </div>
        <FormFailure error={error} />
        <div class="actions">
          <Button onClick={onClose}>Go back</Button>
          <Button
            kind="primary"
            type="submit"
            busy={busy}
            disabled={incomplete || environments.length === 0 || seenBy.length === 0}
          >
            {many ? `Store ${count} ${count === 1 ? 'variable' : 'variables'}` : 'Store'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
