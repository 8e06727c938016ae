#define _GNU_SOURCE
#include "CHostShim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(HOST_SHIM_PR_SET_DUMPABLE == PR_SET_DUMPABLE, "prctl option");
_Static_assert(HOST_SHIM_PR_SET_NAME == PR_SET_NAME, "prctl option");
_Static_assert(HOST_SHIM_PR_GET_NAME == PR_GET_NAME, "prctl option");
_Static_assert(HOST_SHIM_PR_SET_NO_NEW_PRIVS == PR_SET_NO_NEW_PRIVS, "prctl option");

ssize_t host_shim_random(void *bytes, size_t count) {
    ssize_t got = getrandom(bytes, count, 0);
    return got < 0 ? -errno : got;
}

void host_shim_name_thread(const char *name) {
    char kept[16] = {0};
    for (int index = 0; index < 15 && name[index]; index++) kept[index] = name[index];
    prctl(PR_SET_NAME, kept);
}

int host_shim_reserve(int file, off_t offset, off_t count) {
    int result;
    do result = fallocate(file, FALLOC_FL_KEEP_SIZE, offset, count);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
}

int host_shim_prctl(int option, unsigned long argument) {
    int result = prctl(option, argument, 0UL, 0UL, 0UL);
    return result < 0 ? -errno : result;
}

int host_shim_event(void) {
    int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return event < 0 ? -errno : event;
}

void host_shim_event_post(int event) { eventfd_write(event, 1); }

void host_shim_event_take(int event) {
    eventfd_t count;
    eventfd_read(event, &count);
}

int host_shim_signal_watch(const sigset_t *signals) {
    int watch = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
    return watch < 0 ? -errno : watch;
}

int host_shim_signal_take(int watch) {
    struct signalfd_siginfo information;
    if (read(watch, &information, sizeof information) != (ssize_t)sizeof information) return 0;
    return (int)information.ssi_signo;
}

int host_shim_keep_capabilities(uint32_t kept) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return -errno;
    data[0].permitted &= kept;
    data[0].effective &= kept;
    data[0].inheritable = 0;
    data[1].permitted = data[1].effective = data[1].inheritable = 0;
    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}
