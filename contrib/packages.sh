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

# provide_chrony FOLDER: chronyd on the PATH. Installing the package would stop the time service of
# this machine and start another, so it is installed only where no service manager runs (a
# container, CI). Elsewhere the program is unpacked into the folder, with its libraries installed.
provide_chrony() {
	local package
	PATH=$PATH:$1/usr/sbin:$1/usr/bin
	command -v chronyd >/dev/null && return
	if [ ! -d /run/systemd/system ]; then
		missing=(chrony)
		install_missing
		return
	fi
	echo "chronyd is unpacked into $1: it is not installed, and no service changes." >&2
	mkdir -p "$1" && (cd "$1" && apt-get download -qq chrony && dpkg -x chrony_*.deb .) >&2 || return
	missing=()
	for package in $(apt-cache show --no-all-versions chrony | sed -n 's/^Depends: //p' |
		grep -oE '\blib[a-z0-9.+-]+'); do
		lacks "$package" dpkg -s "$package"
	done
	install_missing
}
