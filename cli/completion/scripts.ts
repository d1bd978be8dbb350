import type { CommandNode } from './commandTree.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type CompletionShell = (typeof SHELLS)[number];

/** The words that may follow a command. */
const wordsOf = ({ children, options }: CommandNode): string =>
  [...children.map(({ name }) => name), ...options].join(' ');

/** A `case` over the commands that were typed so far; both bash and zsh read it. */
const listOffers = (nodes: readonly CommandNode[]): string =>
  nodes.map((node) => `    "${node.path}") offers="${wordsOf(node)}" ;;`).join('\n');

const listPaths = (nodes: readonly CommandNode[]) =>
  nodes
    .filter(({ children }) => children.length > 0)
    .flatMap(({ path, children }) => children.map(({ name }) => `${path} ${name}`.trim()));

/** Follows what was typed as long as it names commands; options and arguments between are passed over. */
const followTyped = (nodes: readonly CommandNode[], words: string) => `  for word in ${words}; do
    case "\${typed:+$typed }$word" in
${listPaths(nodes)
  .map((path) => `      "${path}") typed="${path}" ;;`)
  .join('\n')}
    esac
  done`;

function bashScript(nodes: readonly CommandNode[]): string {
  return `# veren completion for bash: source <(veren completion bash)
_veren() {
  local word typed="" offers=""
${followTyped(nodes, `"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`)}
  case "$typed" in
${listOffers(nodes)}
  esac
  COMPREPLY=($(compgen -W "$offers" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _veren veren
`;
}

function zshScript(nodes: readonly CommandNode[]): string {
  return `#compdef veren
# veren completion for zsh: source <(veren completion zsh)
_veren() {
  local word typed="" offers=""
${followTyped(nodes, `"\${(@)words[2,CURRENT-1]}"`)}
  case "$typed" in
${listOffers(nodes)}
  esac
  compadd -- \${=offers} || _files
}
compdef _veren veren
`;
}

/** In single quotes, as fish reads them. */
const quoteFish = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function fishScript(nodes: readonly CommandNode[]): string {
  const condition = (path: string, children: readonly { name: string }[]) => {
    const seen = path.split(' ').filter((word) => word !== '');
    const none =
      children.length > 0 ? [`not __fish_seen_subcommand_from ${children.map((c) => c.name).join(' ')}`] : [];
    const all = [...seen.map((word) => `__fish_seen_subcommand_from ${word}`), ...none];
    return all.length > 0 ? ` -n ${quoteFish(all.join('; and '))}` : '';
  };
  const lines = nodes.flatMap(({ path, children, options }) => [
    ...children.map(
      ({ name, description }) =>
        `complete -c veren -f${condition(path, children)} -a ${name} -d ${quoteFish(description)}`,
    ),
    ...options.map((option) => {
      const flag = option.startsWith('--') ? `-l ${option.slice(2)}` : `-s ${option.slice(1)}`;
      return `complete -c veren${condition(path, path === '' ? children : [])} ${flag}`;
    }),
  ]);
  return `# veren completion for fish: veren completion fish | source\n${lines.join('\n')}\n`;
}

/** The script that a shell reads to complete the command. */
export function completionScript(shell: CompletionShell, nodes: readonly CommandNode[]): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](nodes);
}
