#!/bin/bash
# Boots systemd as the first process of a small system of its own: this machine's /usr, everything else empty, in memory.
#
#   boot_system.sh ROOT SHARED
#
# ROOT is an empty folder to mount it on, SHARED a folder that the system sees as /shared. systemd says READY=1 to the
# socket /shared/notify. Whoever ends the process ends the system; its cgroups are the folders wvds-boot.PID, PID being
# this process's. Needs root, systemd, and a kernel that lets namespaces be made.

set -euo pipefail

if [[ $1 != --inside ]]; then
  for procs in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs; do
    [[ -w $procs ]] || continue
    mkdir "${procs%/*}/wvds-boot.$$"
    if ! echo $$ >"${procs%/*}/wvds-boot.$$/cgroup.procs"; then rmdir "${procs%/*}/wvds-boot.$$"; fi
  done 2>/dev/null
  exec unshare --mount --pid --fork --uts --ipc --net --cgroup --kill-child=KILL bash "${BASH_SOURCE[0]}" --inside "$@"
fi
root=$2 shared=$3

mount --make-rprivate /
mount -t tmpfs -o mode=755 wvds-boot "$root"
cd "$root"
mkdir -p usr etc/systemd/system proc sys dev run tmp shared root var/{lib,log,tmp}
ln -s usr/bin usr/sbin usr/lib usr/lib64 .
mount --rbind /usr usr
mount -t tmpfs -o mode=755 wvds-boot usr/local
mkdir usr/local/{bin,lib,include}
cp /etc/{nsswitch.conf,ld.so.conf,login.defs} etc/ 2>/dev/null || true
cp -r /etc/{ld.so.conf.d,pam.d,alternatives} etc/ 2>/dev/null || true
grep -E '^(root|nobody|systemd-[a-z]+):' /etc/passwd >etc/passwd
grep -E '^(root|nogroup|utmp|adm|systemd-[a-z]+):' /etc/group >etc/group
echo 0123456789abcdef0123456789abcdef >etc/machine-id
mount --rbind "$shared" shared
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,ro,bind proc/sys # the kernel's settings are everybody's
mount --rbind /sys sys
mount -t cgroup2 cgroup2 sys/fs/cgroup 2>/dev/null || true # where /sys has an older one, that one is seen
mount -t tmpfs -o mode=755 wvds-boot dev
mkdir dev/{pts,shm}
for device in null zero full random urandom tty; do
  touch "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
needed='basic.target systemd-journald.service'
printf '%s\n' '[Unit]' "Requires=$needed" "After=$needed" >etc/systemd/system/small.target
for unit in udevd udev-trigger sysctl modules-load random-seed remount-fs hwdb-update binfmt; do # the machine is everybody's, too
  ln -s /dev/null "etc/systemd/system/systemd-$unit.service"
done
ln -s /dev/null etc/systemd/system/systemd-udevd-kernel.socket
ln -s /dev/null etc/systemd/system/systemd-udevd-control.socket
mkdir old
pivot_root . old
umount -l /old
export container=wvds-boot NOTIFY_SOCKET=/shared/notify PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec /usr/lib/systemd/systemd --system --unit=small.target --log-target=null
