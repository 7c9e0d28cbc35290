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

// Work in a child that can be left behind

enum { death_ms = 500 };

/// What a child does, and what it does it with.
struct work {
  long (*_Nonnull run)(const struct work *_Nonnull work);
  const char *_Nullable path;
  const void *_Nullable bytes;
  size_t length;
  void *_Nullable answer;
  size_t capacity;
  char *_Nullable const *_Nullable arguments;
};

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/// Waits until a descriptor has something to tell; -ETIMEDOUT once the deadline has passed.
static int wait_for(int fd, uint64_t deadline_ns) {
  for (;;) {
    uint64_t now = now_ns();
    uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
    struct timespec timeout = {.tv_sec = left / 1000000000u, .tv_nsec = left % 1000000000u};
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    int ready = ppoll(&entry, 1, &timeout, NULL);
    if (ready > 0) return 0;
    if (ready == 0) return -ETIMEDOUT;
    if (errno != EINTR) return -errno;
  }
}

/// Gives up every descriptor of the caller but one, which is given back under its new number.
static int keep_only(int fd) {
  // Above 2 first: a caller that lacks one of 0, 1 and 2 has its pipe there.
  int kept = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (kept < 0) return -errno;
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int number = 0; number < 3; number++) {
    if (null < 0 || dup2(null, number) < 0) close(number);
  }
  if (kept > 3 && close_range(3, (unsigned)kept - 1, 0) < 0) return -errno;
  if (close_range((unsigned)kept + 1, UINT_MAX, 0) < 0) return -errno;
  return kept;
}

static long write_once(const struct work *work) {
  int fd = open(work->path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return -errno;
  ssize_t written;
  do {
    written = write(fd, work->bytes, work->length);
  } while (written < 0 && errno == EINTR);
  return written < 0 ? -errno : written;
}

/// Ends this process with its parent: work that outlives its caller would go on changing what the
/// next caller believes to be at rest.
static void end_with(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
}

/// Runs a program as a child of the child, which tells how it ended.
static long run_program(const struct work *work) {
  static char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL};

  // Ignored, it would lose the program's status, and stay ignored in the program.
  signal(SIGCHLD, SIG_DFL);
  pid_t parent = getpid();
  pid_t program = fork();
  if (program == 0) {
    end_with(parent);
    execve(work->path, work->arguments, environment);
    _exit(127);
  }
  if (program < 0) return -errno;
  int status = 0;
  while (waitpid(program, &status, 0) < 0) {
    if (errno != EINTR) return -errno;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static long unload(const struct work *work) {
  return syscall(SYS_delete_module, work->path, O_NONBLOCK) < 0 ? -errno : 0;
}

/// The child's whole life. Nothing in it may allocate or take a lock.
static _Noreturn void live_as_child(pid_t parent, int report, const struct work *work) {
  end_with(parent);
  int kept = keep_only(report);
  long result = kept < 0 ? kept : work->run(work);
  ssize_t told = write(kept < 0 ? report : kept, &result, sizeof result);
  _exit(told == sizeof result ? 0 : 1);
}

/// The child's word, -ETIMEDOUT, or -ECANCELED where it ended without one.
static long hear(int report, uint64_t deadline_ns) {
  int error = wait_for(report, deadline_ns);
  if (error < 0) return error;
  long result = 0;
  ssize_t length;
  do {
    length = read(report, &result, sizeof result);
  } while (length < 0 && errno == EINTR);
  if (length < 0) return -errno;
  return length == sizeof result ? result : -ECANCELED;
}

/// Waits a bounded moment for a child's end and buries it; whether it ended.
static int bury(pid_t child, int pidfd) {
  if (wait_for(pidfd, now_ns() + death_ms * UINT64_C(1000000)) < 0) return 0;
  // ECHILD where the caller ignores SIGCHLD, as some daemons let their children inherit: the
  // kernel has then buried the child itself, and what it had to say came through the pipe.
  waitpid(child, NULL, WNOHANG);
  return 1;
}

static long watch(pid_t child, int pidfd, int report, uint64_t deadline_ns, int *left_behind) {
  long result = hear(report, deadline_ns);
  if (result == -ETIMEDOUT) {
    syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    if (!bury(child, pidfd)) {
      *left_behind = child;
      return result;
    }
    // It may have ended at the last moment, with the result on its way.
    long late = hear(report, now_ns());
    return late == -ECANCELED ? result : late;
  }
  bury(child, pidfd);
  return result;
}

static long run_in_child(const struct work *work, uint64_t deadline_ns, int *left_behind) {
  *left_behind = 0;
  if (now_ns() >= deadline_ns) return -ETIMEDOUT;

  int report[2];
  if (pipe2(report, O_CLOEXEC) < 0) return -errno;
  pid_t parent = getpid();
  pid_t child = fork();
  if (child == 0) live_as_child(parent, report[1], work);
  long result = child < 0 ? -errno : 0;
  close(report[1]);

  // A number alone could be a stranger's by the time of the kill, where the kernel buries
  // children by itself.
  int pidfd = child < 0 ? -1 : (int)syscall(SYS_pidfd_open, child, 0);
  if (child > 0 && pidfd >= 0) {
    result = watch(child, pidfd, report[0], deadline_ns, left_behind);
  } else if (child > 0) {
    // ESRCH: the child is over and buried. Anything else: it cannot be killed safely, only heard.
    result = hear(report[0], deadline_ns);
    if (waitpid(child, NULL, WNOHANG) == 0) *left_behind = child;
  }
  if (pidfd >= 0) close(pidfd);
  close(report[0]);
  return result;
}

/// Answers come from the kernel, whose number is 0, in one datagram each.
static long ask_rtnetlink(const struct work *work) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return -errno;
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  ssize_t sent = sendto(fd, work->bytes, work->length, 0, (const struct sockaddr *)&kernel,
                        sizeof kernel);
  if (sent < 0) return -errno;
  for (;;) {
    struct sockaddr_nl sender = {0};
    socklen_t size = sizeof sender;
    ssize_t length = recvfrom(fd, work->answer, work->capacity, MSG_TRUNC,
                              (struct sockaddr *)&sender, &size);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return -errno;
    if (sender.nl_pid != 0) continue;
    return (size_t)length > work->capacity ? -EMSGSIZE : length;
  }
}

long clinux_ask_rtnetlink(const void *request, size_t length, void *answer, size_t capacity,
                          uint64_t deadline_ns, int *left_behind) {
  *left_behind = 0;
  // The child writes where the caller reads.
  void *shared = mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return -errno;
  struct work work = {.run = ask_rtnetlink,
                      .bytes = request,
                      .length = length,
                      .answer = shared,
                      .capacity = capacity};
  long result = run_in_child(&work, deadline_ns, left_behind);
  if (result > 0) memcpy(answer, shared, (size_t)result);
  munmap(shared, capacity);
  return result;
}

long clinux_write_abandonable(const char *path, const void *bytes, size_t length,
                              uint64_t deadline_ns, int *left_behind) {
  struct work work = {.run = write_once, .path = path, .bytes = bytes, .length = length};
  return run_in_child(&work, deadline_ns, left_behind);
}

long clinux_load_module(const char *modprobe, const char *module, uint64_t deadline_ns,
                        int *left_behind) {
  // execve() takes the arguments without const and does not change them.
  char *const arguments[] = {(char *)modprobe, "--", (char *)module, NULL};
  struct work work = {.run = run_program, .path = modprobe, .arguments = arguments};
  return run_in_child(&work, deadline_ns, left_behind);
}

long clinux_unload_module(const char *module, uint64_t deadline_ns, int *left_behind) {
  struct work work = {.run = unload, .path = module};
  return run_in_child(&work, deadline_ns, left_behind);
}

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
