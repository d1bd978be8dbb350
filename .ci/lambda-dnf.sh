#!/bin/sh
# What stands in for microdnf 3.8.1, which Lambda's base images have under the name dnf: the same options, the same refusals
# (its source, dnf/dnf-main.c). `install git-core` puts the git in place that lies ready in /opt/packages.
set -eu

refuse() { echo "error: $1" >&2; exit 1; }

check_setopt() {
  case $1 in
    *=*) ;;
    *) refuse "Missing value in: $1" ;;
  esac
  case ${1%%=*} in
    install_weak_deps | keepcache | allow_vendor_change | best)
      case ${1#*=} in 0 | 1) ;; *) refuse "Invalid boolean value \"${1#*=}\" in: $1" ;; esac ;;
    tsflags | module_platform_id | cachedir | reposdir | varsdir) ;;
    *.*) ;; # of one repository
    *) refuse "Unable to handle: --setopt=$1" ;;
  esac
}

command='' packages='' yes=no
while [ $# -gt 0 ]; do
  case $1 in
    -y | --assumeyes) yes=yes ;;
    --setopt=*) check_setopt "${1#--setopt=}" ;;
    --setopt) shift; check_setopt "${1:-}" ;;
    --nodocs | --refresh | --best | --nobest | --noplugins) ;;
    --releasever=* | --enablerepo=* | --disablerepo=* | --installroot=* | --config=*) ;;
    -*) refuse "Unknown option $1" ;;
    *) if [ -z "$command" ]; then command=$1; else packages="$packages $1"; fi ;;
  esac
  shift
done

case $command in
  install)
    [ -n "$packages" ] || refuse 'Packages are not specified'
    [ "$yes" = yes ] || refuse 'nobody is there to say yes'
    for package in $packages; do
      case $package in
        git-core) mv /opt/packages/git /usr/bin/git ;;
        *) refuse "No package matches '$package'" ;;
      esac
    done ;;
  clean) [ "$packages" = ' all' ] || refuse "clean takes all" ;;
  *) refuse "Unknown command: '$command'" ;;
esac
