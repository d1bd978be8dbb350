import { useState } from 'preact/hooks';
import { Button } from './Button.tsx';
import { Dialog } from './Dialog.tsx';
import { Field } from './Field.tsx';
import { shareValue, useShared } from './shareValue.ts';

interface Question {
  readonly title: string;
  /** What will happen. */
  readonly text: string;
  /** The verb on the button. */
  readonly action: string;
  readonly danger?: boolean;
  /** Has to be typed first, e.g. the name of a project that is to be deleted. */
  readonly typed?: string;
}

const asked = shareValue<{ question: Question; answer: (yes: boolean) => void } | null>(null);

/** Asks before something is done; false where it is not wanted. */
export const askConfirmation = (question: Question): Promise<boolean> =>
  new Promise((resolve) => {
    asked.get()?.answer(false);
    asked.set({ question, answer: resolve });
  });

/** Where the question appears; part of the frame. */
export function ConfirmationHost() {
  const current = useShared(asked);
  if (!current) return null;
  const give = (yes: boolean) => {
    asked.set(null);
    current.answer(yes);
  };
  return <QuestionDialog question={current.question} answer={give} />;
}

function QuestionDialog({ question, answer }: { question: Question; answer: (yes: boolean) => void }) {
  const { title, text, action, danger = false, typed } = question;
  const [given, setGiven] = useState('');
  return (
    <Dialog title={title} onClose={() => answer(false)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (typed === undefined || given === typed) answer(true);
        }}
      >
        <p>{text}</p>
        {typed !== undefined && (
          <Field label={`Type ${typed} to go on`}>
            {(props) => (
              <input
                {...props}
                value={given}
                autocomplete="off"
                spellcheck={false}
                onInput={(e) => setGiven(e.currentTarget.value)}
              />
            )}
          </Field>
        )}
        <div class="actions">
          <Button onClick={() => answer(false)}>Go back</Button>
          <Button kind={danger ? 'danger' : 'primary'} type="submit" disabled={typed !== undefined && given !== typed}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
