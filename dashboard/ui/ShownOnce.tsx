import { Button } from './Button.tsx';
import { CopyText } from './CopyText.tsx';
import { Notice } from './Notice.tsx';

interface ShownOnceProps {
  /** "The token", "The secret". */
  readonly what: string;
  readonly text: string;
  /** What to do with it. */
  readonly advice: string;
  readonly onDone: () => void;
}

/** A secret that the platform gives once and keeps as a hash, or sealed. */
export function ShownOnce({ what, text, advice, onDone }: ShownOnceProps) {
  return (
    <Notice kind="ok" title={`${what} is shown once`}>
      <p>
        <CopyText text={text} what={what.toLowerCase()} />
      </p>
      <p>{advice}</p>
      <Button onClick={onDone}>I have kept it</Button>
    </Notice>
  );
}
