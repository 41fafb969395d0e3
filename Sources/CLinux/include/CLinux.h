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

/// O_PATH of open(2): a descriptor that stands for a place and needs no permission to read there.
extern const int clinux_o_path;

#endif
