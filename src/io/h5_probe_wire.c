#include "io/h5_probe_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

bool skv_h5__send(int socket, const void *data, size_t bytes, int fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof fd)];
    } control = {.bytes = {0}};
    struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = bytes};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t n;

    if (fd >= 0) {
        m.msg_control = control.bytes;
        m.msg_controllen = sizeof control.bytes;
        *CMSG_FIRSTHDR(&m) = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof fd);
    }
    do {
        n = sendmsg(socket, &m, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)bytes;
}

bool skv_h5__receive_answer(skv_h5__answer *a, int socket)
{
    ssize_t n;

    do {
        n = recv(socket, a, sizeof *a, 0);
    } while (n < 0 && errno == EINTR);
    a->text[sizeof a->text - 1] = '\0';
    return n == (ssize_t)sizeof *a;
}

bool skv_h5__receive_request(skv_h5__request *r, int *fd, int socket)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof *fd)];
    } control;
    struct iovec part = {.iov_base = r, .iov_len = sizeof *r};
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    const struct cmsghdr *c;
    ssize_t n;

    do {
        n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    c = n == (ssize_t)sizeof *r ? CMSG_FIRSTHDR(&m) : NULL;
    if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof *fd))
        return false;
    memcpy(fd, CMSG_DATA(c), sizeof *fd);
    r->path[sizeof r->path - 1] = '\0';
    return true;
}
