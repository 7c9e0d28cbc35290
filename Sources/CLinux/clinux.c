#define _GNU_SOURCE
#include "clinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

int clinux_columns(uint32_t character) { return wcwidth((wchar_t)character); }

// Threads

// The kernel's masks are arrays of unsigned long, which is what the words are on every machine
// that Berth is built for.
_Static_assert(sizeof(unsigned long) == sizeof(uint64_t), "the words of a CPU mask");

int clinux_set_affinity(int tid, const uint64_t *words, size_t count) {
  return sched_setaffinity(tid, count * sizeof *words, (const cpu_set_t *)words) < 0 ? -errno : 0;
}

int clinux_get_affinity(int tid, uint64_t *words, size_t count) {
  return sched_getaffinity(tid, count * sizeof *words, (cpu_set_t *)words) < 0 ? -errno : 0;
}

int clinux_set_scheduler(int tid, int policy, int priority) {
  struct sched_param param = {.sched_priority = priority};
  return sched_setscheduler(tid, policy, &param) < 0 ? -errno : 0;
}

int clinux_get_scheduler(int tid, int *priority) {
  struct sched_param param = {0};
  int policy = sched_getscheduler(tid);
  if (policy < 0 || sched_getparam(tid, &param) < 0) return -errno;
  *priority = param.sched_priority;
  return policy;
}

// Headers before Linux 5.14 do not have these (include/uapi/linux/prctl.h).
enum { core_call = 62, core_get = 0, core_create = 1, core_share_to = 2 };
enum { core_of_thread = 0, core_of_process = 1 };

static int core_scheduling(int what, int pid, int scope, uint64_t *cookie) {
  unsigned long address = (unsigned long)cookie;
  return prctl(core_call, (long)what, (long)pid, (long)scope, address) < 0 ? -errno : 0;
}

int clinux_core_cookie(int tid, uint64_t *cookie) {
  return core_scheduling(core_get, tid, core_of_thread, cookie);
}

int clinux_make_core_cookie(int pid) {
  return core_scheduling(core_create, pid, core_of_process, NULL);
}

int clinux_take_core_cookie(int pid) {
  uint64_t own = 0;
  int error = clinux_core_cookie(0, &own);
  if (error < 0) return error;
  return own ? -EPERM : core_scheduling(core_share_to, pid, core_of_process, NULL);
}

int clinux_reset_on_fork(void) { return SCHED_RESET_ON_FORK; }

// Directories

int clinux_open_names(const char *path, void **names) {
  *names = opendir(path);
  return *names ? 0 : -errno;
}

const char *clinux_next_name(void *names, int *error) {
  // Only errno tells the end of a directory from a failure.
  errno = 0;
  struct dirent *entry = readdir(names);
  *error = entry ? 0 : -errno;
  return entry ? entry->d_name : NULL;
}

void clinux_close_names(void *names) { closedir(names); }

// Sockets

int clinux_send_datagram(int fd, const char *path, const void *bytes, size_t length) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
  strcpy(address.sun_path, path);

  ssize_t sent = sendto(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL,
                        (const struct sockaddr *)&address, sizeof address);
  return sent < 0 ? -errno : 0;
}

int clinux_connect(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
  strcpy(address.sun_path, path);

  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  // A stream of AF_UNIX is connected at once or not at all.
  if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) return fd;
  int error = errno;
  close(fd);
  return -error;
}

int clinux_open_process(int pid) {
  // Closed in programs that this one runs, as the kernel has it for every such descriptor.
  long fd = syscall(SYS_pidfd_open, pid, 0);
  return fd < 0 ? -errno : (int)fd;
}
