#!/bin/sh
# What every frontend builder image needs besides Node, whatever its base. Run by the Dockerfiles, as root:
#   install.sh system       packages and the build user: the same layer for all Node lines on a base
#   install.sh node         the two Nodes that were copied here, smaller
#   install.sh pack …       a name, and programs that few builds use: unpacked when one is first started
#   install.sh managers …   package managers, <package>@<exact version>; the newest of each line that this image's Node runs
# Every build waits for every byte: docs/decisions/builder-image-sizes.md says what is left out, and why.
set -eu

# Files of packages that no build of a site opens. The compiler is whole: native modules ask for link-time optimisation, too.
exclude_files() {
  cat >/etc/dpkg/dpkg.cfg.d/veren <<'FILES'
# Documentation and translations of messages. Licences stay.
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/ri/*
path-exclude=/usr/share/lintian/*
path-exclude=/usr/share/bash-completion/*
path-exclude=/usr/share/gitweb/*
# For whoever works on the compiler itself, for profiling and for finding faults.
path-exclude=/usr/bin/*lto-dump*
path-exclude=/usr/bin/*gcov*
path-exclude=/usr/bin/*gprof*
path-exclude=/usr/bin/*gp-*
path-exclude=/usr/bin/*dwp
path-exclude=/usr/lib/*gprofng*
path-exclude=/usr/lib/*/libasan*
path-exclude=/usr/lib/*/libhwasan*
path-exclude=/usr/lib/*/liblsan*
path-exclude=/usr/lib/*/libtsan*
path-exclude=/usr/lib/*/libubsan*
# Git's servers, mail and WebDAV.
path-exclude=/usr/lib/git-core/git-daemon
path-exclude=/usr/lib/git-core/git-http-backend
path-exclude=/usr/lib/git-core/git-http-push
path-exclude=/usr/lib/git-core/git-imap-send
path-exclude=/usr/lib/git-core/git-shell
path-exclude=/usr/bin/git-shell
path-exclude=/usr/lib/git-core/scalar
path-exclude=/usr/bin/scalar
# Perl for programs that embed it, its tables of East Asian encodings and of sorting.
path-exclude=/usr/lib/*/libperl.so*
path-exclude=/usr/lib/*/perl/*/CORE/*
path-exclude=/usr/lib/*/perl/*/auto/Encode/[CJKT][NPRW]/*
path-exclude=/usr/lib/*/perl/*/auto/Unicode/Collate/*
path-exclude=/usr/share/perl/*/Unicode/Collate/*
path-exclude=/usr/share/perl/*.pod
path-exclude=/usr/share/perl/*/CPAN/*
path-exclude=/usr/share/perl/*/Module/CoreList*
# The C library for programs that are linked with nothing else.
path-exclude=/usr/lib/*/libc.a
path-exclude=/usr/lib/*/libm-2.*.a
path-exclude=/usr/lib/*/libmvec.a
FILES
}

install_system() {
  export DEBIAN_FRONTEND=noninteractive
  exclude_files
  apt-get update
  # python3, make and g++ are for node-gyp: dependencies without a prebuilt binary compile themselves.
  # git fetches, tini reaps what builds leave behind, util-linux has setpriv and prlimit.
  apt-get install -y --no-install-recommends \
    bash ca-certificates g++ git make procps python3 tar tini util-linux xz-utils
  clean_packages
  # Twice the same file; git's own commands are links to this one.
  ln -sf ../../bin/git /usr/lib/git-core/git
  # The compilers themselves; what starts them is small. Their place depends on their version.
  install_pack compilers /usr/lib/gcc/*/*/cc1 /usr/lib/gcc/*/*/cc1plus /usr/lib/gcc/*/*/lto1 \
    /usr/libexec/gcc/*/*/cc1 /usr/libexec/gcc/*/*/cc1plus /usr/libexec/gcc/*/*/lto1
  for language in c c++; do
    echo 'int main(void) { return 0; }' | gcc -flto -O2 -x "$language" - -o /tmp/compiled
    /tmp/compiled
  done
  rm -rf /tmp/compiled /tmp/veren-programs-*

  # The repository's commands run as this user; its number is VEREN_BUILD_UID.
  groupadd --gid 10001 build
  useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin build
  mkdir -p /work
}

clean_packages() {
  apt-get clean
  rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/cache/debconf/*-old /var/lib/dpkg/*-old
}

# pack <name> <programs>: leaves them in one archive, and in the place of each a script that unpacks all of them into a folder
# of whoever runs it. One archive, since compilers for several languages are for the most part the same.
install_pack() {
  name=$1 archive=/usr/lib/veren-$1.tar.xz found=
  shift
  for program in "$@"; do [ ! -f "$program" ] || found="$found ${program#/}"; done
  # The list is of paths without blanks.
  # shellcheck disable=SC2086
  tar --create --directory / $found | xz --x86 --lzma2=preset=1,dict=128MiB >"$archive"
  for program in $found; do
    cat >"/$program.new" <<SCRIPT
#!/bin/sh
set -e
# The build's own programs may have these names; the compiler itself gets the build's PATH.
path=\${PATH-/usr/bin:/bin}
PATH=/usr/bin:/bin
folder=/tmp/veren-programs-\$(id -u)
mkdir -m 700 "\$folder" 2>/dev/null || { [ -O "\$folder" ] && [ ! -L "\$folder" ]; } || folder=\$(mktemp -d)
if [ ! -e "\$folder/$name" ]; then
  flock "\$folder" sh -ec '
    [ ! -e "\$1/$name" ] || exit 0
    mkdir "\$1/$name.\$\$"
    xz --decompress --stdout $archive | tar --extract --directory "\$1/$name.\$\$"
    mv "\$1/$name.\$\$" "\$1/$name"' unpack "\$folder"
fi
PATH=\$path
exec "\$folder/$name/$program" "\$@"
SCRIPT
    chmod 755 "/$program.new"
    mv "/$program.new" "/$program"
  done
}

# Without the symbols that debuggers read: native modules are linked with others. The same release is kept once.
install_node() {
  user=/opt/node ours=/veren/node/bin/node
  strip --strip-unneeded "$user/bin/node" "$ours"
  if cmp -s "$user/bin/node" "$ours"; then ln -sf "$user/bin/node" "$ours"; fi
  npm=$user/lib/node_modules/npm
  rm -rf "$npm/docs" "$npm/man"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$user/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$user/bin/npx"
}

# Offline from the image's first use: <name>@<version>/ each, as shared/package-manager.ts looks for them.
install_managers() {
  for spec in "$@"; do
    name=${spec%@*}
    case $name in @yarnpkg/cli-dist) name=yarn ;; esac
    npm install --global=false --no-audit --no-fund --no-update-notifier --no-package-lock --loglevel=error \
      --prefix "/veren/tools/$name@${spec##*@}" "$spec"
  done
  # Parts for other systems, and for debuggers.
  find /veren/tools -type f \( -name '*.map' -o -path '*/vendor/*.exe' -o -name '*darwin*.node' -o -name '*win32*.node' \) -delete
  rm -rf /root/.npm
  find /tmp -mindepth 1 -maxdepth 1 ! -name install.sh -exec rm -rf {} +
}

what=$1
shift
"install_$what" "$@"
