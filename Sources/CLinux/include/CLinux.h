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

/// O_TMPFILE of open(2): a new file in the file system of the folder that is named, without a name of its own.
extern const int clinux_o_tmpfile;

/// O_PATH of open(2): a descriptor that stands for a place and needs no permission to read there.
extern const int clinux_o_path;

#endif
