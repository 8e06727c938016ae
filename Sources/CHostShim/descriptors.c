#define _GNU_SOURCE
#include "CHostShim.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t host_shim_send(int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count) {
    union {
        char room[CMSG_SPACE(sizeof(int) * HOST_SHIM_DESCRIPTORS_MAX)];
        struct cmsghdr align;
    } control;
    struct iovec vector = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (descriptor_count > HOST_SHIM_DESCRIPTORS_MAX) return -EINVAL;
    if (descriptor_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.room;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptor_count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * descriptor_count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * descriptor_count);
    }
    ssize_t sent;
    do sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

ssize_t host_shim_receive(int socket, void *bytes, size_t count, int *descriptors, size_t *descriptor_count) {
    union {
        char room[CMSG_SPACE(sizeof(int) * HOST_SHIM_DESCRIPTORS_MAX)];
        struct cmsghdr align;
    } control;
    struct iovec vector = {.iov_base = bytes, .iov_len = count};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    size_t room = *descriptor_count, came = 0;
    int dropped = 0;
    ssize_t received;
    do received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0) {
        *descriptor_count = 0;
        return -errno;
    }
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t held = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < held; index++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(header) + index * sizeof(int), sizeof(int));
            if (came < room) descriptors[came++] = descriptor;
            else {
                close(descriptor);
                dropped = 1;
            }
        }
    }
    *descriptor_count = came;
    if (dropped || (message.msg_flags & MSG_CTRUNC)) {
        for (size_t index = 0; index < came; index++) close(descriptors[index]);
        *descriptor_count = 0;
        return -EMSGSIZE;
    }
    return received;
}
