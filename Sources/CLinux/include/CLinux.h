// The few system calls and flags that Swift's Glibc module does not show. Each returns what the system call
// returns, with errno set on -1.

#ifndef CLINUX_H
#define CLINUX_H

#include <stdint.h>
#include <sys/types.h>

/// openat2(2) with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS: `path` is resolved below `dirfd`
/// and no component of it, the last one included, may be a symbolic link (ELOOP) or leave `dirfd` (EXDEV).
/// O_CLOEXEC is always added.
int clinux_open_beneath(int dirfd, const char *path, uint64_t flags, mode_t mode);

/// renameat2(2) with RENAME_NOREPLACE: EEXIST where `newpath` exists, EINVAL where the file system cannot do it.
int clinux_rename_noreplace(int olddirfd, const char *oldpath, int newdirfd, const char *newpath);

/// renameat2(2) with RENAME_EXCHANGE: both names stand for each other's file from one moment to the next. ENOENT where
/// one of them is missing, EINVAL where the file system cannot do it.
int clinux_rename_exchange(int olddirfd, const char *oldpath, int newdirfd, const char *newpath);

/// linkat(2) with AT_EMPTY_PATH: gives the open file `fd` a name. ENOENT where the process may not (before Linux 6.10
/// it needs CAP_DAC_READ_SEARCH).
int clinux_link_descriptor(int fd, int newdirfd, const char *newpath);

/// sync_file_range(2) of the whole file: has the disk begin to write it, and waits for nothing.
int clinux_begin_sync(int fd);

/// prctl(2) with PR_SET_NO_NEW_PRIVS: this thread and what it starts get no privileges by running a program.
int clinux_no_new_privileges(void);

/// prctl(2) with PR_SET_NAME: what this thread is called in lists of processes; the first 15 bytes of `name`.
int clinux_name_thread(const char *name);

/// capset(2): this thread and what it starts keep, of the capabilities that they have, those of `mask` (bit N for the
/// capability with number N). Without effect for who has no others.
int clinux_keep_capabilities(uint64_t mask);

/// The version of Landlock's interface that the kernel has, from 1 on. ENOSYS where it has none, EOPNOTSUPP where it was
/// switched off when the machine started.
int clinux_landlock_version(void);

/// landlock_create_ruleset(2): a descriptor for rules that deny the accesses named here (LANDLOCK_ACCESS_FS_*,
/// LANDLOCK_ACCESS_NET_*, LANDLOCK_SCOPE_*) unless a rule allows them. Bits that the kernel does not know are EINVAL, or
/// E2BIG.
int clinux_landlock_create(uint64_t file_access, uint64_t network_access, uint64_t scopes);

/// landlock_add_rule(2): allows `file_access` to the folder `folder` and all below it. EINVAL for bits that the ruleset
/// does not deny.
int clinux_landlock_allow(int ruleset, uint64_t file_access, int folder);

/// landlock_add_rule(2): allows `network_access` (LANDLOCK_ACCESS_NET_*) to a TCP port, of any machine.
int clinux_landlock_allow_port(int ruleset, uint64_t network_access, uint16_t port);

/// landlock_restrict_self(2): the rules hold for this thread from now on, and for threads and processes that it starts.
/// EPERM without `clinux_no_new_privileges`.
int clinux_landlock_restrict(int ruleset);

/// mallopt(3) with M_MMAP_THRESHOLD and M_TRIM_THRESHOLD: malloc maps and unmaps blocks by themselves from `map_from`
/// bytes on, and gives the end of a heap back to the system where more than `trim_from` bytes of it are free. Answers 1,
/// or 0 where the values are refused.
int clinux_set_heap(int map_from, int trim_from);

/// sched_setscheduler(2) with SCHED_BATCH: this thread and what it starts do not take the processor from another thread
/// when they are woken. Without effect, and 0, where a policy other than the usual one was chosen already.
int clinux_schedule_as_batch(void);

/// O_TMPFILE of open(2): a new file in the file system of the folder that is named, without a name of its own.
extern const int clinux_o_tmpfile;

/// O_PATH of open(2): a descriptor that stands for a place and needs no permission to read there.
extern const int clinux_o_path;

/// O_DIRECT of open(2): reads past the page cache, where the file system can.
extern const int clinux_o_direct;

/// fstatfs(2): the f_type of the file system that `fd` is on.
int clinux_file_system_type(int fd, uint64_t *type);

#endif
