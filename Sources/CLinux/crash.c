#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clinux.h"
#include "limits.h"
#include "sha256.h"

// What a signal handler says and does
//
// It runs on a stack of its own, as the other may be what is used up, and calls what signal-safety(7)
// allows: socket, sendto, open, close, write, getpid, kill and _exit. It allocates nothing, as memory may be
// what is used up, and reads no other memory than what was set aside here.

enum { field_max = 256, input_max = 4 << 20 };

static struct {
  pid_t process;
  // The child that does the work of this process, which waits for it.
  pid_t worker;
  int status;
  char domain[field_max];
  char phase[field_max];
  char consequence[field_max];
  char socket[sizeof((struct sockaddr_un *)0)->sun_path];
  char mark[field_max];
  unsigned char *input;
  size_t input_length;
} last;

static struct {
  char bytes[4096];
  size_t length;
} entry;

static char stack[64 << 10] __attribute__((aligned(16)));
static volatile sig_atomic_t has_crashed;

/// The signals that end the work: what a fault of its own raises, its CPU time, and what somebody sends
/// who means the process and not the VM. All others are blocked; SIGKILL alone can be neither.
static const struct {
  int number;
  const char *name;
} signals[] = {
    {SIGILL, "SIGILL (a check of its own failed)"},
    {SIGTRAP, "SIGTRAP (a check of its own failed)"},
    {SIGSEGV, "SIGSEGV (memory that is not there, or the stack used up)"},
    {SIGBUS, "SIGBUS (memory that cannot be had)"},
    {SIGFPE, "SIGFPE (impossible arithmetic)"},
    {SIGABRT, "SIGABRT (given up, such as without memory)"},
    {SIGSYS, "SIGSYS (a system call that a sandbox forbids)"},
    {SIGXCPU, "SIGXCPU (its CPU time used up)"},
    {SIGTERM, "SIGTERM (sent by somebody)"},
    {SIGHUP, "SIGHUP (sent by somebody)"},
    {SIGINT, "SIGINT (sent by somebody)"},
    {SIGQUIT, "SIGQUIT (sent by somebody)"},
};
enum { signal_count = sizeof signals / sizeof *signals };

static const char *reason_of(int number) {
  for (int index = 0; index < signal_count; index++) {
    if (signals[index].number == number) return signals[index].name;
  }
  return number == SIGKILL ? "SIGKILL (by somebody, or by the kernel without memory)" : "a signal";
}

static void append(const char *text, size_t length) {
  size_t room = sizeof entry.bytes - entry.length;
  if (length > room) length = room;
  memcpy(entry.bytes + entry.length, text, length);
  entry.length += length;
}

static void append_text(const char *text) { append(text, strlen(text)); }

static void append_number(size_t number) {
  char digits[20];
  size_t first = sizeof digits;
  do {
    digits[--first] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  append(digits + first, sizeof digits - first);
}

/// A field in the form that a value with newlines needs (systemd's docs/JOURNAL_NATIVE_PROTOCOL.md): its
/// name, and eight bytes for the length, which are returned and filled in by `end_field`.
static size_t begin_field(const char *name) {
  append_text(name);
  append_text("\n");
  append("\0\0\0\0\0\0\0\0", 8);
  return entry.length;
}

static void end_field(size_t start) {
  uint64_t length = entry.length - start;
  for (int byte = 0; byte < 8; byte++) entry.bytes[start - 8 + byte] = (char)(length >> (8 * byte));
  append_text("\n");
}

static void append_field(const char *name, const char *value) {
  size_t start = begin_field(name);
  append_text(value);
  end_field(start);
}

static void append_sentence(const char *reason) {
  append_text("Berth was stopped in ");
  append_text(last.phase);
  append_text(" by ");
  append_text(reason);
  append_text(": ");
  append_text(last.consequence);
}

static void append_input(void) {
  if (!last.input) return append_text("; it had read no input");
  char digest[65];
  clinux_sha256(last.input, last.input_length, digest);
  append_text("; its input: ");
  append_number(last.input_length);
  append_text(" bytes, SHA-256 ");
  append_text(digest);
}

static int tell_journal(const char *reason) {
  size_t message = begin_field("MESSAGE");
  append_sentence(reason);
  append_input();
  end_field(message);
  append_field("PRIORITY", "3");
  append_field("SYSLOG_IDENTIFIER", "berth");
  append_field("MESSAGE_ID", CLINUX_CRASH_ID);
  append_field("BERTH_DOMAIN", last.domain);
  append_field("BERTH_PHASE", last.phase);

  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memcpy(address.sun_path, last.socket, sizeof address.sun_path);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  ssize_t sent = sendto(fd, entry.bytes, entry.length, MSG_DONTWAIT | MSG_NOSIGNAL,
                        (const struct sockaddr *)&address, sizeof address);
  close(fd);
  return sent >= 0;
}

static void tell_caller(const char *reason) {
  entry.length = 0;
  append_text("berth: ");
  append_sentence(reason);
  append_text("\n");
  // Nobody is left to be told that it failed.
  (void)!write(STDERR_FILENO, entry.bytes, entry.length);
}

static _Noreturn void end_by(int number) {
  // A fault of this handler's own: the status is what counts.
  if (has_crashed) _exit(last.status);
  has_crashed = 1;
  const char *reason = reason_of(number);
  // The mark first: somebody looks again, whatever becomes of the words.
  int mark = open(last.mark, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (mark >= 0) close(mark);
  int is_told = tell_journal(reason);
  if (last.status != 0 || !is_told) tell_caller(reason);
  _exit(last.status);
}

static void hear(int number) {
  // A child that is a copy of this process has a caller of its own, who hears that it ended.
  if (last.process != 0 && getpid() != last.process) _exit(1);
  // It has the work, and the words for its end.
  if (last.worker > 0) {
    kill(last.worker, number);
    return;
  }
  end_by(number);
}

static void keep(char *place, size_t size, const char *text) {
  size_t length = strnlen(text, size - 1);
  memcpy(place, text, length);
  place[length] = 0;
}

int clinux_contain_crashes(const struct clinux_last_words *words) {
  last.process = getpid();
  last.status = words->status;
  keep(last.domain, sizeof last.domain, words->domain);
  keep(last.phase, sizeof last.phase, words->phase);
  keep(last.consequence, sizeof last.consequence, words->consequence);
  keep(last.socket, sizeof last.socket, words->journal);
  keep(last.mark, sizeof last.mark, words->mark);

  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  if (sigaltstack(&alternate, NULL) < 0) return -errno;
  // Not blocked while it runs: a blocked fault would end the process (signal(7)).
  struct sigaction ending = {.sa_handler = hear, .sa_flags = SA_ONSTACK | SA_NODEFER};
  sigset_t blocked;
  sigfillset(&blocked);
  for (int index = 0; index < signal_count; index++) {
    if (sigaction(signals[index].number, &ending, NULL) < 0) return -errno;
    sigdelset(&blocked, signals[index].number);
  }
  // A pipe without a reader, or a file beyond its size limit, is an error of write(2) then, and no more.
  return sigprocmask(SIG_SETMASK, &blocked, NULL) < 0 ? -errno : 0;
}

int clinux_work_in_child(void) {
  // Ignored, as some daemons let their children inherit, it would lose how the child ended.
  if (signal(SIGCHLD, SIG_DFL) == SIG_ERR) return -errno;
  // Until each of the two is told which it is, either ends with the status of the phase: a child that took
  // itself for a mere copy would end with another.
  const pid_t own = last.process;
  last.process = 0;
  pid_t child = fork();
  if (child == 0) {
    last.process = getpid();
    return 0;
  }
  last.worker = child;
  last.process = own;
  if (child < 0) return -errno;
  int status = 0;
  pid_t ended;
  do {
    ended = waitpid(child, &status, 0);
  } while (ended < 0 && errno == EINTR);
  if (ended == child && WIFSIGNALED(status)) end_by(WTERMSIG(status));
  _exit(ended == child ? WEXITSTATUS(status) : last.status);
}

void clinux_remember_input(const void *bytes, size_t length) {
  if (length > input_max) length = input_max;
  unsigned char *copy = malloc(length > 0 ? length : 1);
  if (!copy) return;
  memcpy(copy, bytes, length);
  last.input = NULL;
  last.input_length = length;
  last.input = copy;
}

// Limits

static const int limited[clinux_limit_count] = {RLIMIT_DATA, RLIMIT_CPU};
struct clinux_limits clinux_limits;

/// Sets a limit in one call, where nobody has set one that cannot be exceeded.
static int lower(int index, rlim_t wanted) {
  struct rlimit found, limit = {.rlim_cur = wanted, .rlim_max = RLIM_INFINITY};
  if (prlimit(0, limited[index], &limit, &found) < 0) {
    if (errno != EPERM || getrlimit(limited[index], &found) < 0) return -errno;
  } else if (found.rlim_cur > wanted && found.rlim_max == RLIM_INFINITY) {
    clinux_limits.found[index] = found.rlim_cur;
    clinux_limits.is_lowered[index] = 1;
    return 0;
  }
  limit = found;
  if (found.rlim_cur > wanted) {
    clinux_limits.found[index] = found.rlim_cur;
    clinux_limits.is_lowered[index] = 1;
    limit.rlim_cur = wanted;
  }
  return setrlimit(limited[index], &limit) < 0 ? -errno : 0;
}

int clinux_limit(uint64_t memory_bytes, uint64_t cpu_seconds) {
  const rlim_t wanted[clinux_limit_count] = {memory_bytes, cpu_seconds};
  for (int index = 0; index < clinux_limit_count; index++) {
    int error = lower(index, wanted[index]);
    if (error < 0) return error;
  }
  return 0;
}
