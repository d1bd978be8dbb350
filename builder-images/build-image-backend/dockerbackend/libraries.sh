#!/bin/sh
# Shared libraries that what was built is linked with, beside the service: its image is the slim one, which lacks them. `node`
# runs this, since the files are the user's and `ldd` lets a program choose its own loader. glibc and the compiler's libraries
# are every Debian's own; the language's own are in its image. A library that is nowhere is named, and fails nothing.
set -u
libraries=/opt/veren/runtime/libraries
list=$(find /app /opt/veren/tools -type f \( -name '*.so' -o -name '*.so.*' -o -name veren-service \) -exec ldd {} + 2>/dev/null)
echo "$list" | sed -n 's/^[[:space:]]*\(lib[^ ]*\) => not found$/veren: the library \1 was not found/p' | sort -u >&2
mkdir -p "$libraries"
echo "$list" | sed -n 's/^[[:space:]]*lib[^ ]* => \(\/[^ ]*\) (0x[0-9a-f]*)$/\1/p' | sort -u | while read -r file; do
  case $file in
    /app/* | /opt/* | /usr/local/*) continue ;;
    */libc.so.* | */libm.so.* | */libdl.so.* | */librt.so.* | */libpthread.so.* | */libutil.so.* | */libresolv.so.* | */libnsl.so.*) continue ;;
    */libgcc_s.so.* | */libstdc++.so.*) continue ;;
  esac
  cp -L -- "$file" "$libraries/" 2>/dev/null
done
rmdir "$libraries" 2>/dev/null ||
  echo 'export LD_LIBRARY_PATH="/opt/veren/tools/libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"' >/opt/veren/runtime/environment
