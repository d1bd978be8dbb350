import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { CustomResources } from './customResources.ts';
import { type EmulatorStacks, encodeXml, type Form, rootAuthorization } from './emulatorStacks.ts';
import type { StackDeployer } from './stackDeployer.ts';
import type { Template } from './template.ts';

interface Prepared {
  readonly body: string;
  readonly template: Template;
  readonly form: Form;
}
export interface CloudFormationOptions {
  readonly emulator: string;
  readonly region: string;
  readonly stacks: EmulatorStacks;
  readonly deployer: StackDeployer;
  readonly customs: CustomResources;
}

/** Answers CloudFormation's calls: those about deploying and deleting itself, the others by the emulator. */
export function cloudFormationCalls(options: CloudFormationOptions) {
  const { emulator, region, stacks, deployer, customs } = options;
  /** By stack and name of the change set. */
  const prepared = new Map<string, Prepared>();

  const calls: Record<string, (form: Form) => Promise<string | undefined>> = {
    async CreateChangeSet(form) {
      const stack = nameOf(form.StackName!);
      const body = form.TemplateBody ?? (await stacks.readTemplate(form.TemplateURL!));
      if (!isJson(body)) return undefined; // CDK's own bootstrap stack, which has no custom resource
      const { template, firstUrl } = await deployer.prepare(stack, body);
      const { TemplateBody: _, ...rest } = form;
      const answer = await stacks.call('CreateChangeSet', { ...rest, TemplateURL: firstUrl });
      prepared.set(`${stack}/${nameOf(form.ChangeSetName!)}`, { body, template, form: updateForm(form) });
      return answer;
    },
    async ExecuteChangeSet(form) {
      const stack = stackOf(form);
      const key = `${stack}/${nameOf(form.ChangeSetName!)}`;
      const change = prepared.get(key);
      if (!change) return undefined;
      prepared.delete(key);
      const first = () => stacks.call('ExecuteChangeSet', form);
      void deployer.execute(stack, change.body, change.template, change.form, first);
      return emptyAnswer('ExecuteChangeSet');
    },
    async DeleteStack(form) {
      void deployer.remove(nameOf(form.StackName!), () => stacks.call('DeleteStack', form));
      return emptyAnswer('DeleteStack');
    },
    async GetTemplate(form) {
      const body = form.StackName && deployer.body(nameOf(form.StackName));
      if (!body) return undefined;
      return answerOf('GetTemplate', `<TemplateBody>${encodeXml(body)}</TemplateBody>`);
    },
    async DescribeStacks(form) {
      const answer = await stacks.call('DescribeStacks', form);
      return answer.replaceAll(
        /<StackName>([^<]*)<\/StackName>[\s\S]*?<StackStatus>[^<]*<\/StackStatus>/g,
        (found, name) => {
          const status = deployer.status(name);
          if (!status) return found;
          const reason = status.reason ? `<StackStatusReason>${encodeXml(status.reason)}</StackStatusReason>` : '';
          return found.replace(
            /<StackStatus>[^<]*<\/StackStatus>/,
            `<StackStatus>${status.name}</StackStatus>${reason}`,
          );
        },
      );
    },
  };

  async function forward(body: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
    const answer = await fetch(emulator, { method: 'POST', headers, body });
    return { status: answer.status, body: await answer.text() };
  }

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const body = await text(request);
      if (request.method === 'PUT') {
        const known = customs.take(String(request.url).split('?')[0]!.slice(1), body);
        response.writeHead(known ? 200 : 404).end();
        return;
      }
      const form = Object.fromEntries(new URLSearchParams(body));
      const own = await calls[form.Action ?? '']?.(form);
      const type = {
        'Content-Type': 'application/x-www-form-urlencoded',
        Authorization: rootAuthorization('cloudformation', region),
      };
      const answer = own === undefined ? await forward(body, type) : { status: 200, body: own };
      response.writeHead(answer.status, { 'Content-Type': 'text/xml' }).end(answer.body);
    } catch (e) {
      const message = encodeXml((e as Error).message);
      const error = `<Error><Type>Sender</Type><Code>ValidationError</Code><Message>${message}</Message></Error>`;
      response.writeHead(400, { 'Content-Type': 'text/xml' }).end(`<ErrorResponse>${error}</ErrorResponse>`);
    }
  };
}

/** Parameters and capabilities of a change set, for the updates that follow it. */
const updateForm = (form: Form): Form =>
  Object.fromEntries(Object.entries(form).filter(([key]) => /^(Parameters|Capabilities|Tags|RoleARN)/.test(key)));

/** A name, of a name or an ARN. */
const nameOf = (nameOrArn: string): string => (nameOrArn.startsWith('arn:') ? nameOrArn.split('/')[1]! : nameOrArn);
const stackOf = ({ StackName }: Form): string => nameOf(StackName!);

function isJson(body: string): boolean {
  return body.trimStart().startsWith('{');
}

const NAMESPACE = 'http://cloudformation.amazonaws.com/doc/2010-05-15/';
const answerOf = (action: string, result: string) =>
  `<${action}Response xmlns="${NAMESPACE}"><${action}Result>${result}</${action}Result></${action}Response>`;
const emptyAnswer = (action: string) => answerOf(action, '');
