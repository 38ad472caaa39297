# SPDX-License-Identifier: MIT
# Sourced by demo and test: what is missing on this machine, and getting it (Debian, Ubuntu).
# shellcheck shell=bash

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

missing=()

# lacks PACKAGE CHECK…: notes the package unless the check, a command, succeeds.
lacks() {
	local package=$1
	shift
	"$@" >/dev/null 2>&1 || missing+=("$package")
}

# find_missing_to_build: what the program itself is built from.
find_missing_to_build() {
	lacks gcc command -v cc
	lacks libc6-dev test -e /usr/include/stdlib.h
	lacks make command -v make
	lacks cmake command -v cmake
	lacks pkg-config command -v pkg-config
	lacks libuv1-dev pkg-config --exists 'libuv >= 1.43'
	lacks libjansson-dev pkg-config --exists 'jansson >= 2.13'
	lacks libinih-dev pkg-config --exists inih
	lacks libssl-dev pkg-config --exists 'libcrypto >= 3.0'
}

# find_missing_to_ask_timesyncd: an option of the build, and a bus of the tests' own.
find_missing_to_ask_timesyncd() {
	lacks libsystemd-dev pkg-config --exists 'libsystemd >= 241'
	lacks dbus-daemon command -v dbus-daemon
}

# find_missing_to_tunnel: a real tunnel in a network namespace, under a clock that can be set.
find_missing_to_tunnel() {
	PATH=$PATH:/usr/sbin:/sbin
	lacks openvpn command -v openvpn
	lacks libfaketime libfaketime
	lacks openssl command -v openssl
	lacks iproute2 command -v ip
	lacks util-linux command -v unshare
}

libfaketime() { # prints the path of the library
	local path
	for path in /usr/lib/*/faketime/libfaketime.so.1 /usr/lib*/faketime/libfaketime.so.1; do
		[ -e "$path" ] && echo "$path" && return
	done
	return 1
}

# install_missing: says what, then installs it. Fails when that cannot be done.
install_missing() {
	[ ${#missing[@]} = 0 ] && return
	echo "Missing on this machine, to be installed with apt: ${missing[*]}" >&2
	if ! command -v apt-get >/dev/null; then
		echo "There is no apt-get here: please install what corresponds to these." >&2
		return 1
	fi
	if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
		echo "This needs root or sudo." >&2
		return 1
	fi
	local quiet=(-qq -y --no-install-recommends -o Dpkg::Use-Pty=0)
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install "${quiet[@]}" "${missing[@]}" \
		>/dev/null 2>&1 && return # the lists were fresh
	as_root apt-get update -qq >&2 &&
		as_root env DEBIAN_FRONTEND=noninteractive apt-get install "${quiet[@]}" \
			"${missing[@]}" >/dev/null
}

# provide_time_services FOLDER: chronyd, NTPsec's ntpd and systemd-timesyncd on the PATH. Installing
# one of these packages would stop the time service of this machine and start another, so those that
# are not there are unpacked into the folder, and only the libraries that they need are installed.
# Fails if one of them cannot be had; the others are provided all the same.
provide_time_services() {
	local status=0
	PATH=$PATH:$1/usr/sbin:$1/usr/bin:$1/lib/systemd:$1/usr/lib/systemd:/lib/systemd
	unpack "$1" chrony chronyd || status=1
	unpack "$1" ntpsec ntpd || status=1
	unpack "$1" systemd-timesyncd systemd-timesyncd || status=1
	return $status
}

# unpack FOLDER PACKAGE PROGRAM: the program of a package that is not to be installed.
unpack() {
	local folder=$1 package=$2 library
	command -v "$3" >/dev/null && return
	echo "$package is unpacked into $folder: it is not installed, and no service changes." >&2
	mkdir -p "$folder" && rm -f "$folder/$package"_*.deb || return
	(
		cd "$folder" || exit
		apt-get download -qq "$package" 2>/dev/null || # the lists were fresh
			{ as_root apt-get update -qq && apt-get download -qq "$package"; } || exit
		dpkg -x "$package"_*.deb .
	) >&2 || return
	missing=()
	for library in $(dpkg-deb -f "$folder/$package"_*.deb Depends | grep -oE '\blib[a-z0-9.+-]+'); do
		lacks "$library" dpkg -s "$library"
	done
	install_missing
}
