import type { Command } from 'commander';

/** A command as completion and documents know it. */
export interface CommandNode {
  /** Without the program's own name: `env set`. Empty for the program. */
  readonly path: string;
  /** As help shows its arguments: `[source]`. */
  readonly usage: string;
  readonly description: string;
  /** Long and short names: `--json`, `-f`. */
  readonly options: readonly string[];
  readonly children: readonly { readonly name: string; readonly description: string }[];
}

/** The program and every command below it. */
export function listCommands(command: Command, path = ''): CommandNode[] {
  const children = command.commands.map((child) => ({ name: child.name(), description: child.description() }));
  const names = command.options.flatMap(({ long, short }) => [long, short].filter((name) => typeof name === 'string'));
  const node: CommandNode = {
    path,
    usage: command.registeredArguments
      .map((argument) => {
        const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
        return argument.required ? `<${name}>` : `[${name}]`;
      })
      .join(' '),
    description: command.description(),
    options: [...new Set([...names, '--help'])],
    children,
  };
  return [node, ...command.commands.flatMap((child) => listCommands(child, `${path} ${child.name()}`.trim()))];
}
