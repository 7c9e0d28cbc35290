#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "limits.h"
#include "raw.h"

// Work in a child that can be left behind
//
// The child lives in its caller's memory: to copy that memory's tables takes longer than most of the
// writes do. What it reads and writes there is its own `struct life` and no more. It therefore makes
// its system calls without the C library, and none of the caller's signal handlers runs in it.

enum { stack_size = 16 << 10 };

// How long somebody who was killed may take to die: what was written has to be known for certain, and
// who reads is waited for by others.
enum { write_death_ms = 500, read_death_ms = 50 };

struct life;

/// What a child does, and what it does it with.
struct work {
  long (*_Nonnull run)(struct life *_Nonnull life);
  const char *_Nullable path;
  const void *_Nullable bytes;
  size_t length;
  void *_Nullable answer;
  size_t capacity;
  int death_ms;
};

/// All that a child has, in memory that is given back once it is over and never before: it may hang
/// in the kernel for longer than its caller waits.
struct life {
  char stack[stack_size];
  // That of a program which the child starts, until it is one.
  char second_stack[stack_size];
  struct work work;
  pid_t parent;
  pid_t child;
  int report;
  size_t size;
  char copies[];
};

/// Starts a child in the memory of its caller, or with a copy of it where the kernel does not know how
/// (before Linux 5.5, in some sandboxes, under valgrind). The function never returns.
static long start(uint64_t flags, char *stack, void (*run)(void *), void *context) {
  struct clone_args arguments = {.flags = CLONE_VM | CLONE_CLEAR_SIGHAND | flags,
                                 .exit_signal = SIGCHLD,
                                 .stack = (uint64_t)(uintptr_t)stack,
                                 .stack_size = stack_size};
  long child = raw_child(&arguments, run, context);
  if (child != -ENOSYS && child != -EPERM && child != -EINVAL) return child;
  child = raw6(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
  if (child == 0) run(context);
  return child;
}

// The child's side

static _Noreturn void end(int status) {
  raw3(SYS_exit_group, status, 0, 0);
  __builtin_unreachable();
}

/// Gives up every descriptor of the caller but one, which is given back under its new number.
static int keep_only(int fd) {
  // Above 2 first: a caller that lacks one of 0, 1 and 2 has its pipe there.
  int kept = (int)raw3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3);
  if (kept < 0) return kept;
  int null = (int)raw3(SYS_openat, AT_FDCWD, (long)"/dev/null", O_RDWR);
  for (int number = 0; number < 3; number++) {
    if (number == null) continue;
    if (null < 0 || raw3(SYS_dup3, null, number, 0) < 0) raw3(SYS_close, number, 0, 0);
  }
  long error = 0;
  if (kept > 3) error = raw3(SYS_close_range, 3, kept - 1, 0);
  if (error == 0) error = raw3(SYS_close_range, kept + 1, UINT_MAX, 0);
  return error < 0 ? (int)error : kept;
}

static long write_once(struct life *life) {
  int flags = O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY;
  long fd = raw3(SYS_openat, AT_FDCWD, (long)life->work.path, flags);
  if (fd < 0) return fd;
  long written;
  do {
    written = raw3(SYS_write, fd, (long)life->work.bytes, (long)life->work.length);
  } while (written == -EINTR);
  return written;
}

/// Reads a file to its end, which it has to have within the answer's capacity.
static long read_all(struct life *life) {
  const struct work *work = &life->work;
  long fd = raw3(SYS_openat, AT_FDCWD, (long)work->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return fd;
  size_t done = 0;
  while (done < work->capacity) {
    long length = raw3(SYS_read, fd, (long)((char *)work->answer + done), (long)(work->capacity - done));
    if (length == -EINTR) continue;
    if (length < 0) return length;
    if (length == 0) return (long)done;
    done += (size_t)length;
  }
  return -EFBIG;
}

/// Opens a block device as the only one who has it, and has it closed with the child.
static long take(struct life *life) {
  int flags = O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
  long fd = raw3(SYS_openat, AT_FDCWD, (long)life->work.path, flags);
  return fd < 0 ? fd : 0;
}

/// Ends this process with its parent: work that outlives its caller would go on changing what the
/// next caller believes to be at rest.
static void end_with(pid_t parent) {
  raw3(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0);
  if (raw3(SYS_getppid, 0, 0, 0) != parent) end(1);
}

/// Has a signal do what it does by itself, as the kernel's own structure says with zeroes.
static void reset_signal(int number) {
  static const long action[4] = {0};
  raw6(SYS_rt_sigaction, number, (long)action, 0, 8, 0, 0);
}

/// Becomes a program.
static void become(void *context) {
  static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL};
  const struct life *life = context;
  const char *const arguments[] = {life->work.path, "--", life->work.bytes, NULL};
  end_with(life->child);
  // A caller that contains its crashes has most blocked, and what is blocked stays so.
  static const uint64_t none = 0;
  raw6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, sizeof none, 0, 0);
  raw3(SYS_execve, (long)life->work.path, (long)arguments, (long)environment);
  end(127);
}

/// Runs a program as a child of the child, which tells how it ended.
static long run_program(struct life *life) {
  // Ignored, it would lose the program's status, and stay ignored in the program.
  reset_signal(SIGCHLD);
  life->child = (pid_t)raw3(SYS_getpid, 0, 0, 0);
  long program = start(CLONE_VFORK, life->second_stack, become, life);
  if (program < 0) return program;
  int status = 0;
  long ended;
  do {
    ended = raw6(SYS_wait4, program, (long)&status, 0, 0, 0, 0);
  } while (ended == -EINTR);
  if (ended < 0) return ended;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static long unload(struct life *life) {
  return raw3(SYS_delete_module, (long)life->work.path, O_NONBLOCK, 0);
}

/// Answers come from the kernel, whose number is 0, in one datagram each.
static long ask_rtnetlink(struct life *life) {
  const struct work *work = &life->work;
  long fd = raw3(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return fd;
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  long sent = raw6(SYS_sendto, fd, (long)work->bytes, (long)work->length, 0, (long)&kernel,
                   sizeof kernel);
  if (sent < 0) return sent;
  for (;;) {
    struct sockaddr_nl sender = {0};
    socklen_t size = sizeof sender;
    long length = raw6(SYS_recvfrom, fd, (long)work->answer, (long)work->capacity, MSG_TRUNC,
                       (long)&sender, (long)&size);
    if (length == -EINTR) continue;
    if (length < 0) return length;
    if (sender.nl_pid != 0) continue;
    return (size_t)length > work->capacity ? -EMSGSIZE : length;
  }
}

/// The child's whole life.
static void live(void *context) {
  struct life *life = context;
  end_with(life->parent);
  lift_limits();
  int kept = keep_only(life->report);
  long result = kept < 0 ? kept : life->work.run(life);
  long told = raw3(SYS_write, kept < 0 ? life->report : kept, (long)&result, sizeof result);
  end(told == sizeof result ? 0 : 1);
}

// The caller's side

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
static int bury(pid_t child, int pidfd, int death_ms) {
  if (wait_for(pidfd, now_ns() + (uint64_t)death_ms * 1000000u) < 0) return 0;
  // ECHILD where the caller ignores SIGCHLD, as some daemons let their children inherit: the
  // kernel has then buried the child itself, and what it had to say came through the pipe.
  waitpid(child, NULL, WNOHANG);
  return 1;
}

static long watch(pid_t child, int pidfd, int report, uint64_t deadline_ns, int death_ms,
                  int *left_behind) {
  long result = hear(report, deadline_ns);
  if (result != -ETIMEDOUT) {
    if (!bury(child, pidfd, death_ms)) *left_behind = child;
    return result;
  }
  syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
  if (!bury(child, pidfd, death_ms)) {
    *left_behind = child;
    return result;
  }
  // It may have ended at the last moment, with the result on its way.
  long late = hear(report, now_ns());
  return late == -ECANCELED ? result : late;
}

/// Takes what a child needs into memory that lives as long as it does; null where there is none.
///
/// Shared, as the answer is to be read also where the child has a copy of all other memory.
static struct life *prepare(const struct work *work, int report) {
  size_t path = work->path ? strlen(work->path) + 1 : 0;
  size_t size = sizeof(struct life) + path + work->length + work->capacity;
  struct life *life = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (life == MAP_FAILED) return NULL;
  life->work = *work;
  life->parent = getpid();
  life->report = report;
  life->size = size;
  if (path > 0) life->work.path = memcpy(life->copies, work->path, path);
  if (work->length > 0) life->work.bytes = memcpy(life->copies + path, work->bytes, work->length);
  life->work.answer = life->copies + path + work->length;
  return life;
}

/// Runs the work in a child; the answer, if it has one, is copied to where the caller has its own.
static long run_in_child(const struct work *work, uint64_t deadline_ns, int *left_behind) {
  *left_behind = 0;
  if (now_ns() >= deadline_ns) return -ETIMEDOUT;

  int report[2];
  if (pipe2(report, O_CLOEXEC) < 0) return -errno;
  struct life *life = prepare(work, report[1]);
  pid_t child = life ? (pid_t)start(0, life->stack, live, life) : -ENOMEM;
  long result = child < 0 ? child : 0;
  close(report[1]);

  // A number alone could be a stranger's by the time of the kill, where the kernel buries
  // children by itself.
  int pidfd = child < 0 ? -1 : (int)syscall(SYS_pidfd_open, child, 0);
  if (child > 0 && pidfd >= 0) {
    result = watch(child, pidfd, report[0], deadline_ns, work->death_ms, left_behind);
  } else if (child > 0) {
    // ESRCH: the child is over and buried. Anything else: it cannot be killed safely, only heard.
    result = hear(report[0], deadline_ns);
    if (waitpid(child, NULL, WNOHANG) == 0) *left_behind = child;
  }
  if (pidfd >= 0) close(pidfd);
  close(report[0]);
  if (work->capacity > 0 && result > 0) memcpy(work->answer, life->work.answer, (size_t)result);
  if (life && *left_behind == 0) munmap(life, life->size);
  return result;
}

long clinux_ask_rtnetlink(const void *request, size_t length, void *answer, size_t capacity,
                          uint64_t deadline_ns, int *left_behind) {
  struct work work = {.run = ask_rtnetlink,
                      .bytes = request,
                      .length = length,
                      .answer = answer,
                      .capacity = capacity,
                      .death_ms = write_death_ms};
  return run_in_child(&work, deadline_ns, left_behind);
}

long clinux_write_abandonable(const char *path, const void *bytes, size_t length,
                              uint64_t deadline_ns, int *left_behind) {
  struct work work = {.run = write_once,
                      .path = path,
                      .bytes = bytes,
                      .length = length,
                      .death_ms = write_death_ms};
  return run_in_child(&work, deadline_ns, left_behind);
}

long clinux_read_abandonable(const char *path, void *answer, size_t capacity, uint64_t deadline_ns,
                             int *left_behind) {
  struct work work = {.run = read_all,
                      .path = path,
                      .answer = answer,
                      .capacity = capacity,
                      .death_ms = read_death_ms};
  return run_in_child(&work, deadline_ns, left_behind);
}

long clinux_take_abandonable(const char *path, uint64_t deadline_ns, int *left_behind) {
  struct work work = {.run = take, .path = path, .death_ms = read_death_ms};
  return run_in_child(&work, deadline_ns, left_behind);
}

int clinux_still_waits(int child) {
  return waitpid(child, NULL, WNOHANG) == 0;
}

long clinux_load_module(const char *modprobe, const char *module, uint64_t deadline_ns,
                        int *left_behind) {
  struct work work = {.run = run_program,
                      .path = modprobe,
                      .bytes = module,
                      .length = strlen(module) + 1,
                      .death_ms = write_death_ms};
  return run_in_child(&work, deadline_ns, left_behind);
}

long clinux_unload_module(const char *module, uint64_t deadline_ns, int *left_behind) {
  struct work work = {.run = unload, .path = module, .death_ms = write_death_ms};
  return run_in_child(&work, deadline_ns, left_behind);
}
