import { useLiveState } from './useLive.ts';

/** Says that changes do not come by themselves at the moment; nothing while they do. */
export function LiveNote() {
  const away = useLiveState() === 'away';
  return (
    <p class="live-note" role="status">
      {away && 'The live connection is lost. It is being made again; meanwhile this page asks every few seconds.'}
    </p>
  );
}
