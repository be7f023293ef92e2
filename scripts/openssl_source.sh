# shellcheck shell=bash
# Finds and downloads OpenSSL's source from the Debian archive that this machine uses, without
# root and without touching the machine's own package lists. Sourced by openssl.sh after lib.sh.
#
# A private apt state stands for the machine's, but only four settings are replaced (state, cache,
# the two source lists), so that the machine's proxies and time-outs still hold. Every download is
# verified against the Debian archive's own key, whatever else the machine trusts.

# archive_keyring -> path of the Debian archive's keyring
archive_keyring() {
  local k
  for k in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
    if [[ -r $k ]]; then
      printf '%s\n' "$k"
      return 0
    fi
  done
  say "the Debian archive's keyring is missing (package debian-archive-keyring)"
  return 1
}

# archive_uris -> the archives this machine installs from, Debian's own first, never a security
# one (those carry no source of other suites). Origins are unknown before the first update, hence
# the fall-back to all; a foreign archive fails the signature check later.
archive_uris() {
  # shellcheck disable=SC2016  # apt expands these
  apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)' 2>/dev/null |
    awk -F'|' '$2 ~ /-security\/*$/ || $2 ~ /^cdrom:/ { next }
      { if ($1 == "Debian") debian[$2]; else other[$2] }
      END { for (u in debian) { print u; n++ } if (!n) for (u in other) print u }' | sort -u
}

# private_apt_conf FOLDER: writes the settings laid over the machine's own
private_apt_conf() {
  local folder=$1
  mkdir -p "$folder"/{lists/partial,cache/archives/partial,state}
  : >"$folder/state/status"
  printf '%s\n' \
    "Dir::State \"$folder/state\";" \
    "Dir::State::Lists \"$folder/lists\";" \
    "Dir::State::status \"$folder/state/status\";" \
    "Dir::Cache \"$folder/cache\";" \
    "Dir::Etc::SourceList \"$folder/sources.list\";" \
    "Dir::Etc::SourceParts \"$folder/none\";" \
    'APT::Sandbox::User "";' \
    'APT::Update::Error-Mode "any";' \
    'Acquire::Languages "none";' \
    '#clear APT::Update::Pre-Invoke;' \
    '#clear APT::Update::Post-Invoke;' \
    '#clear APT::Update::Post-Invoke-Success;' \
    >"$folder/apt.conf"
}

# update_suite FOLDER SUITE: brings the suite's source list. A Release file that is merely expired
# (a frozen mirror) is accepted on a second try and said so; the minimum version and the refusal
# of a version below the last one built are what stops a replayed old archive.
update_suite() {
  local folder=$1 suite=$2 log=$1/update.log
  if LC_ALL=C apt-get -c "$folder/apt.conf" update >"$log" 2>&1; then return 0; fi
  if ! grep -q 'is expired (invalid since' "$log"; then
    say "  $suite: $(grep -m1 '^E:' "$log" || echo 'no answer')"
    return 1
  fi
  echo 'Acquire::Check-Valid-Until "false";' >>"$folder/apt.conf"
  if ! LC_ALL=C apt-get -c "$folder/apt.conf" update >"$log" 2>&1; then
    say "  $suite: $(grep -m1 '^E:' "$log" || echo 'no answer')"
    return 1
  fi
  say "  $suite: the archive's Release file is past its Valid-Until date (a frozen mirror); its signature holds, so it is used"
}

# download_source FOLDER VERSION INTO: one listed version's source files; a mirror may list
# versions whose files it does not serve
download_source() {
  local folder=$1 version=$2 into=$3
  mkdir -p "$into"
  (cd "$into" && LC_ALL=C apt-get -c "$folder/apt.conf" source --only-source --download-only "openssl=$version") \
    >"$folder/source.log" 2>&1
}

# listed_versions FOLDER BRANCH -> the suite's Debian versions of the branch, newest first
listed_versions() {
  LC_ALL=C apt-cache -c "$1/apt.conf" showsrc openssl 2>/dev/null |
    awk -v branch="$2." '/^Version: / && index($2, branch) == 1 { print $2 }' | sort -ruV
}

# fetch_source WORK ACCEPT -> prints the version whose source now is in WORK/source. ACCEPT is a
# command that gets a Debian version and says whether it may be used.
# The newest 3.6 that is really served comes first, else the stable suite's 3.5.
fetch_source() {
  local work=$1 accept=$2 keyring wanted suite branch uri folder version
  keyring=$(archive_keyring) || return 1
  local -a uris
  mapfile -t uris < <(archive_uris)
  ((${#uris[@]} > 0)) || { say "no Debian archive is configured for apt"; return 1; }
  for wanted in sid:3.6 testing:3.6 stable:3.6 stable:3.5; do
    suite=${wanted%:*} branch=${wanted#*:}
    for uri in "${uris[@]}"; do
      folder=$work/apt-$suite-$(printf '%s' "$uri" | cksum | cut -d' ' -f1)
      if [[ ! -e $folder/updated ]]; then
        private_apt_conf "$folder"
        echo "deb-src [signed-by=$keyring] $uri $suite main" >"$folder/sources.list"
        update_suite "$folder" "$suite" || continue
        : >"$folder/updated"
      fi
      while IFS= read -r version; do
        "$accept" "$version" || continue
        if download_source "$folder" "$version" "$work/source"; then
          say "  OpenSSL $version from $suite"
          printf '%s\n' "$version"
          return 0
        fi
        say "  $suite lists OpenSSL $version, but its source is not served"
      done < <(listed_versions "$folder" "$branch")
    done
  done
  return 1
}

# unpack_source WORK LOG: what fetch_source brought becomes WORK/openssl, with Debian's patches
unpack_source() {
  dpkg-source --no-check -x "$1"/source/*.dsc "$1/openssl" >>"$2" 2>&1 ||
    { show_log_tail "$2"; die "OpenSSL's source could not be unpacked"; }
}
