#define _GNU_SOURCE

#include "CLinux.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

int clinux_open_beneath(int dirfd, const char *path, uint64_t flags, mode_t mode) {
    struct open_how how;
    memset(&how, 0, sizeof(how));
    how.flags = flags | O_CLOEXEC;
    how.mode = mode;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

int clinux_rename_noreplace(int olddirfd, const char *oldpath, int newdirfd, const char *newpath) {
    return renameat2(olddirfd, oldpath, newdirfd, newpath, RENAME_NOREPLACE);
}

int clinux_rename_exchange(int olddirfd, const char *oldpath, int newdirfd, const char *newpath) {
    return renameat2(olddirfd, oldpath, newdirfd, newpath, RENAME_EXCHANGE);
}

int clinux_begin_sync(int fd) {
    return sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

int clinux_link_descriptor(int fd, int newdirfd, const char *newpath) {
    return linkat(fd, "", newdirfd, newpath, AT_EMPTY_PATH);
}

int clinux_no_new_privileges(void) {
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int clinux_name_thread(const char *name) {
    return prctl(PR_SET_NAME, name, 0, 0, 0);
}

int clinux_keep_capabilities(uint64_t mask) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, sets) == -1) {
        return -1;
    }
    uint32_t others = 0;
    for (int index = 0; index < _LINUX_CAPABILITY_U32S_3; index++) {
        uint32_t kept = (uint32_t)(mask >> (32 * index));
        others |= (sets[index].permitted | sets[index].inheritable) & ~kept;
        sets[index].effective &= kept;
        sets[index].permitted &= kept;
        sets[index].inheritable &= kept;
    }
    return others == 0 ? 0 : (int)syscall(SYS_capset, &header, sets);
}

// Landlock's calls have the same numbers on all architectures. Structures and numbers as linux/landlock.h has them, whose
// version on the building machine may be older than the running kernel.
enum {
    LANDLOCK_CREATE_RULESET = 444,
    LANDLOCK_ADD_RULE = 445,
    LANDLOCK_RESTRICT_SELF = 446,
    LANDLOCK_VERSION_FLAG = 1,
    LANDLOCK_PATH_BENEATH = 1,
    LANDLOCK_NET_PORT = 2,
};

// An older kernel takes the longer structure, too, as long as what it does not know is 0.
struct landlock_ruleset {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

struct landlock_path_beneath {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

struct landlock_net_port {
    uint64_t allowed_access;
    uint64_t port;
};

int clinux_landlock_version(void) {
    return (int)syscall(LANDLOCK_CREATE_RULESET, NULL, (size_t)0, (uint32_t)LANDLOCK_VERSION_FLAG);
}

int clinux_landlock_create(uint64_t file_access, uint64_t network_access, uint64_t scopes) {
    struct landlock_ruleset ruleset = {
        .handled_access_fs = file_access,
        .handled_access_net = network_access,
        .scoped = scopes,
    };
    return (int)syscall(LANDLOCK_CREATE_RULESET, &ruleset, sizeof(ruleset), (uint32_t)0);
}

int clinux_landlock_allow(int ruleset, uint64_t file_access, int folder) {
    struct landlock_path_beneath rule = {.allowed_access = file_access, .parent_fd = folder};
    return (int)syscall(LANDLOCK_ADD_RULE, ruleset, (int)LANDLOCK_PATH_BENEATH, &rule, (uint32_t)0);
}

int clinux_landlock_allow_port(int ruleset, uint64_t network_access, uint16_t port) {
    struct landlock_net_port rule = {.allowed_access = network_access, .port = port};
    return (int)syscall(LANDLOCK_ADD_RULE, ruleset, (int)LANDLOCK_NET_PORT, &rule, (uint32_t)0);
}

int clinux_landlock_restrict(int ruleset) {
    return (int)syscall(LANDLOCK_RESTRICT_SELF, ruleset, (uint32_t)0);
}

const int clinux_o_tmpfile = O_TMPFILE;

const int clinux_o_path = O_PATH;

const int clinux_o_direct = O_DIRECT;

int clinux_file_system_type(int fd, uint64_t *type) {
    struct statfs status;
    if (fstatfs(fd, &status) == -1) {
        return -1;
    }
    // Signed on some machines, and then negative for some file systems.
    *type = (uint32_t)status.f_type;
    return 0;
}

int clinux_set_heap(int map_from, int trim_from) {
    return mallopt(M_MMAP_THRESHOLD, map_from) && mallopt(M_TRIM_THRESHOLD, trim_from);
}

int clinux_schedule_as_batch(void) {
    if (sched_getscheduler(0) != SCHED_OTHER) {
        return 0;
    }
    const struct sched_param param = {0};
    return sched_setscheduler(0, SCHED_BATCH, &param);
}
