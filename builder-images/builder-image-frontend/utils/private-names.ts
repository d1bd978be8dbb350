/** Never published, wherever it lies: histories, keys and settings of tools that hold passwords, droppings of desktops. */
const NEVER = new RegExp(
  `^(?:${[
    String.raw`\.git|\.hg|\.svn|\.bzr|\.git-credentials`,
    // `.env.local`, and what editors and hands make of it: `.env~`, `.env-production`, `.env_old`.
    String.raw`\.env(?:[._~-].*)?|\.envrc|\.flaskenv|\.dev\.vars(?:[._~-].*)?`,
    String.raw`\.npmrc|\.yarnrc\.yml|\.netrc|_netrc|\.pypirc|\.pgpass|\.my\.cnf|\.htpasswd|\.dockercfg|\.vault-token`,
    String.raw`\.s3cfg|\.boto|\.sentryclirc`,
    String.raw`\.ssh|\.aws|\.azure|\.gcloud|\.gnupg|\.kube|\.docker|\.terraform`,
    String.raw`\.\w+_history`,
    'id_(?:rsa|dsa|ecdsa|ecdsa_sk|ed25519|ed25519_sk)',
    String.raw`.+\.tfstate(?:\.backup)?|.+\.tfvars`,
    String.raw`\.DS_Store|Thumbs\.db|desktop\.ini`,
  ].join('|')})$`,
  'i',
);

export const isNeverPublished = (name: string): boolean => NEVER.test(name);

/** Of a folder with sources: no dot files but `.well-known`, no dependencies. */
export const isPrivateSource = (name: string): boolean =>
  (name.startsWith('.') && name.toLowerCase() !== '.well-known') || isDependencies(name);

export const isDependencies = (name: string): boolean => /^(?:node_modules|__pycache__)$/i.test(name);

/** Manifests, workspace files and lockfiles, by who reads them. Sources: each tool's own documentation. */
const MANIFESTS = new RegExp(
  `^(?:${[
    // npm, pnpm, Yarn, Bun, Deno, JSR, Bower; tools that run over a workspace
    String.raw`package\.(?:json|json5|yaml)|package-lock\.json|npm-shrinkwrap\.json|yarn\.lock`,
    String.raw`pnpm-(?:lock|workspace)\.yaml|pnpmfile\.[cm]?js|bun\.lockb?|bunfig\.toml|deno\.(?:jsonc?|lock)|jsr\.json`,
    String.raw`bower\.json|lerna\.json|nx\.json|turbo\.jsonc?|rush\.json|shrinkwrap\.yaml`,
    String.raw`(?:npm|yarn|pnpm|lerna)-(?:debug|error)\.log.*`,
    // PHP, Ruby
    String.raw`composer\.(?:json|lock|phar)|auth\.json|gemfile(?:\.lock)?|gems\.(?:rb|locked)|.+\.gemspec`,
    // Python
    String.raw`pyproject\.toml|(?:poetry|uv|pdm|pixi)\.lock|pipfile(?:\.lock)?|pylock(?:\..+)?\.toml`,
    String.raw`requirements(?:[-_.].+)?\.(?:txt|in)|setup\.(?:py|cfg)|environment\.ya?ml|conda-lock\.yml|pixi\.toml`,
    // Rust, Go, Elixir, Erlang, Dart, Swift, Haskell, Elm, Nix, Zig, Crystal, Julia
    String.raw`cargo\.(?:toml|lock)|go\.(?:mod|sum|work|work\.sum)|mix\.(?:exs|lock)|rebar\.(?:config|lock)`,
    String.raw`pubspec\.(?:yaml|lock)|package\.(?:swift|resolved)|podfile(?:\.lock)?|cartfile(?:\.resolved)?`,
    String.raw`stack\.yaml(?:\.lock)?|.+\.cabal|cabal\.project(?:\..+)?|elm(?:-package)?\.json|flake\.(?:nix|lock)`,
    String.raw`build\.zig(?:\.zon)?|shard\.(?:yml|lock)|(?:project|manifest)\.toml`,
    // JVM, .NET
    String.raw`pom\.xml|(?:build|settings)\.gradle(?:\.kts)?|gradle\.(?:lockfile|properties)|build\.sbt|project\.clj|deps\.edn`,
    String.raw`.+\.(?:csproj|fsproj|vbproj|sln)|packages\.(?:config|lock\.json)|nuget\.config|paket\.(?:dependencies|lock)|libman\.json`,
  ].join('|')})$`,
  'i',
);

/** Does a package manager read or write a file of this name? */
export const isPackageManifest = (name: string): boolean => MANIFESTS.test(name);
