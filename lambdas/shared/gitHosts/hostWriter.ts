import { VerenError } from '../../../contract/errors.ts';
import type { CommitReport, GitHost } from '../../../contract/gitHosts.ts';
import type { Clock } from '../ports.ts';
import type { AppToken } from './app/appTokens.ts';
import { askHost, HostBusyError } from './askHost.ts';
import {
  type CheckReport,
  checkCall,
  type EnvironmentReport,
  environmentCall,
  environmentEndCall,
  environmentStatusCall,
} from './github/appCalls.ts';
import { type HostAnswer, type HostCall, readId } from './hostAdapter.ts';
import { HOST_ADAPTERS } from './hostAdapters.ts';
import type { HostApi } from './hostApi.ts';
import { isLimited, requireTaken } from './readOutcome.ts';
import { isNameAtHost } from './repositoryUrl.ts';

/** Comments of a pull request that are searched for ours: 10 pages of 100. */
const MAX_PAGES = 10;

/**
 * Writes to one repository on its host. Throws what `requireTaken` does, and HostBusyError without an answer. Opening it
 * throws GIT_REPORT_REFUSED for a name that no repository of the host has.
 */
export interface HostWriter {
  writeStatus(report: CommitReport): Promise<void>;
  /**
   * Writes the one comment of a pull request that has the marker, or makes it.
   * @param known Its id, where it was kept.
   * @returns Its id, where the host told it.
   */
  writeComment(comment: {
    readonly number: number;
    readonly text: string;
    readonly marker: string;
    readonly known?: string | undefined;
  }): Promise<string | undefined>;
  /** GitHub alone, with the App. @param known Its id, where it was kept. @returns its id, where the host told it */
  writeCheck(report: CheckReport, known: string | undefined): Promise<string | undefined>;
  /** Makes what GitHub's environments show of a deployment. @returns its id */
  makeEnvironment(report: EnvironmentReport): Promise<string>;
  /** Writes how it stands. */
  writeEnvironment(report: EnvironmentReport, id: string): Promise<void>;
  /** It is not what the environment shows any more. One that is not there any more is none. */
  endEnvironment(id: string): Promise<void>;
}

export function openHostWriter(of: {
  readonly host: GitHost;
  readonly repository: string;
  readonly api: HostApi;
  readonly token: string;
  /** Where the token is one of the owner's App. */
  readonly app?: Pick<AppToken, 'isNew' | 'forget'> | undefined;
  readonly clock: Clock;
}): HostWriter {
  const { repository, api, token, clock, app } = of;
  const adapter = HOST_ADAPTERS[of.host];
  const { host } = new URL(api.url);
  if (!isNameAtHost(of.host, repository))
    throw new VerenError('GIT_REPORT_REFUSED', { host, reason: 'it has no repositories of such a name' });
  const ask = async (call: HostCall) => {
    const answer = await askHost(api, call, adapter.authorize, token);
    if (answer.status !== 401 || !app || app.isNew) return answer;
    // It was taken back, or its hour is over for the host's clock: the next try makes another.
    app.forget();
    throw new HostBusyError(host, 'the token of the App has ended', 1_000);
  };
  const requireOk = (answer: HostAnswer) => {
    try {
      requireTaken(host, answer, token, clock.now());
    } catch (error) {
      if (!app || !(error instanceof VerenError) || error.code !== 'GIT_TOKEN_REFUSED') throw error;
      throw new VerenError('GIT_APP_REFUSED', { host, reason: String(error.details.reason) });
    }
    return answer.body;
  };

  /** The oldest comment with the marker: one that somebody else has copied it into is younger. */
  async function findComment(number: number, line: string): Promise<string | undefined> {
    let lastIds = '';
    for (let page = 1; page <= MAX_PAGES; page++) {
      const comments = adapter.readComments(requireOk(await ask(adapter.listCall(repository, number, page))));
      const found = comments.find(({ text }) => text.includes(line));
      if (found) return found.id;
      // Hosts cap their pages as they like, and one without pages answers with the same ones again.
      const ids = comments.map(({ id }) => id).join();
      if (ids === '' || ids === lastIds) return undefined;
      lastIds = ids;
    }
    return undefined;
  }

  /** False where there is no such comment (any more), or it is not ours to change. */
  async function updateComment(number: number, id: string, text: string): Promise<boolean> {
    const answer = await ask(adapter.updateCall(repository, number, id, text));
    if (answer.status === 404 || answer.status === 410) return false;
    if (answer.status === 403 && !isLimited(answer)) return false;
    requireOk(answer);
    return true;
  }

  return {
    async writeStatus(report) {
      const answer = await ask(adapter.statusCall(repository, report));
      if (!adapter.isKnownStatus?.(answer)) requireOk(answer);
    },
    async writeComment({ number, text, marker, known }) {
      const line = adapter.hideMarker(marker);
      const whole = `${line}\n${text}`;
      if (known !== undefined && (await updateComment(number, known, whole))) return known;
      const found = await findComment(number, line);
      if (found !== undefined && found !== known && (await updateComment(number, found, whole))) return found;
      return adapter.readCommentId(requireOk(await ask(adapter.createCall(repository, number, whole))));
    },
    async writeCheck(report, known) {
      const answer = await ask(checkCall(repository, report, known));
      if (known === undefined || answer.status !== 404) return readId(requireOk(answer)) ?? known;
      return readId(requireOk(await ask(checkCall(repository, report, undefined))));
    },
    async makeEnvironment(report) {
      const id = readId(requireOk(await ask(environmentCall(repository, report))));
      if (id === undefined) throw new HostBusyError(host, 'its answer has another form than is documented');
      return id;
    },
    async writeEnvironment(report, id) {
      requireOk(await ask(environmentStatusCall(repository, report, id)));
    },
    async endEnvironment(id) {
      const answer = await ask(environmentEndCall(repository, id));
      if (answer.status !== 404) requireOk(answer);
    },
  };
}
