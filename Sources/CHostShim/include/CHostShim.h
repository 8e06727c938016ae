// What the host needs of Linux that Swift can't call: variadic functions, control messages, system calls without a
// wrapper in glibc 2.36, and the few instructions between fork and exec.
#ifndef C_HOST_SHIM_H
#define C_HOST_SHIM_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HOST_SHIM_DESCRIPTORS_MAX 16

// sendmsg with descriptors; returns the bytes sent or -errno. MSG_NOSIGNAL is set.
ssize_t host_shim_send(int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count);

// recvmsg with descriptors, which come close-on-exec; *descriptor_count is the room going in and what came going out.
// Returns the bytes received, 0 at the end, or -errno; -EMSGSIZE if descriptors had to be dropped.
ssize_t host_shim_receive(int socket, void *bytes, size_t count, int *descriptors, size_t *descriptor_count);

// Forks and executes the file behind `executable`. In the child, descriptors[i] becomes descriptor 3 + i and every
// other one above 2 is closed by exec; signals are unblocked and at their defaults; if `dies_with_parent`, the child
// gets SIGKILL when the calling thread ends. Returns the child's id or -errno, exec's own failure included.
pid_t host_shim_spawn(
    int executable, char *const *arguments, char *const *environment, const int *descriptors, size_t descriptor_count,
    int dies_with_parent);

// pidfd_open(2) with close-on-exec; returns the descriptor or -errno.
int host_shim_pidfd_open(pid_t process);

// prctl(2) with integer arguments; returns its result or -errno.
int host_shim_prctl(int option, unsigned long argument);

enum {
    HOST_SHIM_PR_SET_DUMPABLE = 4,
    HOST_SHIM_PR_SET_NAME = 15,
    HOST_SHIM_PR_GET_NAME = 16,
    HOST_SHIM_PR_SET_NO_NEW_PRIVS = 38,
};

// getrandom(2); returns the bytes got or -errno.
ssize_t host_shim_random(void *bytes, size_t count);

// Names the calling thread; at most 15 bytes are kept.
void host_shim_name_thread(const char *name);

// A counter that can be polled (eventfd(2)), non-blocking and close-on-exec; the descriptor or -errno.
int host_shim_event(void);
void host_shim_event_post(int event);
void host_shim_event_take(int event);

// Signals as a descriptor (signalfd(2)), non-blocking and close-on-exec; the descriptor or -errno.
int host_shim_signal_watch(const sigset_t *signals);
// Number of a signal that came, 0 if none did.
int host_shim_signal_take(int watch);

// fallocate(2) that keeps the file's size; returns 0 or -errno.
int host_shim_reserve(int file, off_t offset, off_t count);

// Gives up every capability of the calling thread that is not in `kept` (a bit set of the first 32), for good if it has
// no new privileges. Returns 0 or -errno.
int host_shim_keep_capabilities(uint32_t kept);

// Landlock (landlock(7)). Each returns its result or -errno.
int host_shim_landlock_version(void);
int host_shim_landlock_create(uint64_t file_rights, uint64_t network_rights, uint64_t scopes, int version);
int host_shim_landlock_allow_beneath(int ruleset, int directory, uint64_t file_rights);
int host_shim_landlock_restrict(int ruleset);

#endif
