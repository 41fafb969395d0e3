// Tells ThreadSanitizer of the half of Swift's Mutex that it cannot see.
//
// Without contention a Mutex is locked and unlocked by atomic operations that are compiled into its user, where they are
// instrumented. Where threads meet, it calls libswiftSynchronization, which is not: each lock that was waited for would
// be taken for no lock at all. This library is preloaded and stands before that one.

#define _GNU_SOURCE

#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

// Of the instrumented program; missing in others that inherit the environment.
extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

#define MUTEX_HANDLE __attribute__((swift_context)) void *handle
#define SWIFT __attribute__((swiftcall))

static void *original(const char *name) {
    void *symbol = dlsym(RTLD_NEXT, name);
    if (symbol == NULL) {
        abort();
    }
    return symbol;
}

// _MutexHandle._lockSlow(_: UInt32)
SWIFT void lock_slow(uint32_t thread, MUTEX_HANDLE) __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");

SWIFT void lock_slow(uint32_t thread, MUTEX_HANDLE) {
    static SWIFT void (*next)(uint32_t thread, MUTEX_HANDLE);
    if (next == NULL) {
        next = original("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
    }
    next(thread, handle);
    if (__tsan_acquire) {
        __tsan_acquire(handle);
    }
}

// _MutexHandle._tryLockSlow() -> Bool
SWIFT bool try_lock_slow(MUTEX_HANDLE) __asm__("$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF");

SWIFT bool try_lock_slow(MUTEX_HANDLE) {
    static SWIFT bool (*next)(MUTEX_HANDLE);
    if (next == NULL) {
        next = original("$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF");
    }
    const bool is_locked = next(handle);
    if (is_locked && __tsan_acquire) {
        __tsan_acquire(handle);
    }
    return is_locked;
}

// _MutexHandle._unlockSlow()
SWIFT void unlock_slow(MUTEX_HANDLE) __asm__("$s15Synchronization12_MutexHandleV11_unlockSlowyyF");

SWIFT void unlock_slow(MUTEX_HANDLE) {
    static SWIFT void (*next)(MUTEX_HANDLE);
    if (next == NULL) {
        next = original("$s15Synchronization12_MutexHandleV11_unlockSlowyyF");
    }
    if (__tsan_release) {
        __tsan_release(handle);
    }
    next(handle);
}
