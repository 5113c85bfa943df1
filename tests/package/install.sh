#!/usr/bin/env bash
# install.sh BUILD FOLDER: the installed tree does a whole job by itself, and the .deb has the same
# files and names the libraries that it needs.
set -euo pipefail
build=$1 work=$2

fail() {
    echo "$*" >&2
    exit 1
}

rm -rf "$work"
mkdir -p "$work"
cmake --install "$build" --prefix "$work/usr" >"$work/log"
share=$work/usr/share/skv
cd "$work" # not the repository: nothing may come from there
job=(--config "$share/configs/tiny.json" --resolution 0.06M --threads 1)
usr/bin/skv sample "${job[@]}" --out run 2>>log || fail "no run: $(tail -n 5 log)"
usr/bin/skv eval run --networks formula >>log 2>&1 || fail "no report: $(tail -n 5 log)"
test -s run/report.html

# The jobs beside it start the same program.
"$share/jobs/launch.sh" -p 1 sample "${job[@]}" --paths full --out second >>log 2>&1 ||
    fail "launch.sh: $(tail -n 5 log)"
diff -r run/images/full second/images/full || fail "launch.sh: other pictures"

pages=(usr/share/man/man1/skv-*.1)
[ "${#pages[@]}" -eq "$(usr/bin/skv help --as names | wc -l)" ] || fail "pages: ${pages[*]}"
cmp <(usr/bin/skv help --as bash) usr/share/bash-completion/completions/skv

if ! command -v dpkg-shlibdeps >/dev/null; then
    echo "skipped: no dpkg-shlibdeps, so no .deb"
    exit 77
fi
cpack --config "$build/CPackConfig.cmake" -B deb >>log 2>&1 || fail "no .deb: $(tail -n 5 log)"
dpkg-deb -x deb/skv_*.deb unpacked
diff <(cd usr && find . | sort) <(cd unpacked/usr && find . | sort) ||
    fail "the .deb has other files than the installed tree"
dpkg-deb -f deb/skv_*.deb Depends | grep -q libhdf5 || fail "the .deb does not name HDF5"
