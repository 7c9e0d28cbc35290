// What Swift's Glibc module does not show of Linux.
//
// Two kinds of things are here. First, calls that glibc declares under _GNU_SOURCE only, or whose
// types Swift does not import (sched_setaffinity(2), readdir(3) with its errno, sockaddr_un).
// Second, what cannot be written in Swift at all: code that runs between fork(2) and the end of
// the child, where nothing may allocate.
//
// One function per meaning. Each returns what it is asked for, or the negative of the number of
// errno(3), so that no caller reads errno after another call may have changed it.

#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// How many columns of a terminal a character takes in the locale of LC_CTYPE (wcwidth(3)); -1 for one that is not
/// printed, or that the locale does not know.
int clinux_columns(uint32_t character);

/// Lets a thread run on the CPUs of a mask: bit n of word n/64 is CPU n.
///
/// The kernel ignores bits beyond its own number of CPUs.
int clinux_set_affinity(int tid, const uint64_t *_Nonnull words, size_t count);

/// Fills a mask with the CPUs that a thread may run on; -EINVAL if the kernel has more CPUs than
/// the mask has bits.
int clinux_get_affinity(int tid, uint64_t *_Nonnull words, size_t count);

/// Changes a thread's scheduling policy; the policy may hold SCHED_RESET_ON_FORK.
int clinux_set_scheduler(int tid, int policy, int priority);

/// A thread's scheduling policy, which may hold SCHED_RESET_ON_FORK, and its priority.
int clinux_get_scheduler(int tid, int *_Nonnull priority);

/// Reads the core-scheduling cookie of a thread; 0 for none.
///
/// -ENODEV without SMT, -EINVAL where the kernel is built without core scheduling.
int clinux_core_cookie(int tid, uint64_t *_Nonnull cookie);

/// Gives all threads of a process a new core-scheduling cookie.
int clinux_make_core_cookie(int pid);

/// Takes the core-scheduling cookie from all threads of a process.
///
/// The kernel knows no such call, but of giving them the caller's: -EPERM if it has one.
int clinux_take_core_cookie(int pid);

/// The value of SCHED_RESET_ON_FORK.
int clinux_reset_on_fork(void);

/// Opens a directory of which the names are to be read with clinux_next_name.
int clinux_open_names(const char *_Nonnull path, void *_Nullable *_Nonnull names);

/// The next name in a directory; null at its end or, with `error` not 0, where it cannot be read.
///
/// The name stands until the next call.
const char *_Nullable clinux_next_name(void *_Nonnull names, int *_Nonnull error);

void clinux_close_names(void *_Nonnull names);

/// Opens a folder for clinux_open_below.
int clinux_open_root(const char *_Nonnull path);

/// Opens what a path leads to as if the folder `root` were the root of all files: neither `..` nor
/// a link leads out of it (RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS of openat2(2)).
///
/// -ENOSYS before Linux 5.6, -EPERM where a sandbox does not know the call, -EAGAIN where something
/// was renamed at the same moment, -ESTALE where the folder itself was taken away.
int clinux_open_below(int root, const char *_Nonnull path, int flags);

/// The first bytes of such a file, as one read(2) gives them.
long clinux_read_below(
    int root, const char *_Nonnull path, int flags, void *_Nonnull bytes, size_t capacity);

/// The flags that open a place without looking into it; a link by itself, or where it leads.
int clinux_link_flags(void);
int clinux_place_flags(void);

/// What an opened link says, without a zero at its end; -EINVAL for what is no link.
long clinux_read_link(int fd, char *_Nonnull target, size_t capacity);

/// The names in an opened directory, as clinux_open_names has them.
int clinux_open_names_of(int fd, void *_Nullable *_Nonnull names);

/// Starts a process that takes a folder away, with all that is in it, once its owner is gone, however
/// that ended; returns what keeps it.
int clinux_keep_folder(const char *_Nonnull path, int *_Nonnull child);

/// Has the folder taken away now, and waits until it is.
void clinux_drop_folder(int keeper, int child);

/// Writes once to an existing file, in a child process that can be left behind.
///
/// For files whose write may last for minutes or never end (unbinding a driver, growing a pool of
/// huge pages). The child holds none of the caller's descriptors: its 0, 1 and 2 are /dev/null,
/// so that nobody who reads the caller's output to the end waits for it, and no lock of the caller
/// lives on in it. It ends with its caller.
///
/// Returns the number of bytes that the kernel took, the negative of the error number, or
/// -ETIMEDOUT when the deadline (nanoseconds of CLOCK_MONOTONIC) has passed. The child is then
/// killed, which also ends a write that looks for pending signals, as that of nr_hugepages does.
/// `left_behind` is the number of a child that did not die of it, as it hangs in the kernel; it
/// stays so until the kernel lets it go, and init buries it. Otherwise it is 0.
///
/// -ECANCELED says that the child ended without a word, killed by somebody else.
long clinux_write_abandonable(const char *_Nonnull path, const void *_Nonnull bytes, size_t length,
                              uint64_t deadline_ns, int *_Nonnull left_behind);

/// Opens a block device for the caller alone, for a moment, in a child process as above: -EBUSY where
/// somebody has it, or a part of it, to himself (block/bdev.c, `bd_may_claim()`), 0 where nobody does.
///
/// It is opened for reading and without waiting for a medium, so that nobody is told of a change when it
/// is closed, no tray moves, and nothing of it is read but what the kernel itself looks at.
long clinux_take_abandonable(const char *_Nonnull path, uint64_t deadline_ns,
                             int *_Nonnull left_behind);

/// Reads a file to its end, in a child process as above.
///
/// Returns the number of bytes, -EFBIG where the file does not fit, or the negative of another error
/// number. What a child that was left behind reads later goes nowhere.
long clinux_read_abandonable(const char *_Nonnull path, void *_Nonnull answer, size_t capacity,
                             uint64_t deadline_ns, int *_Nonnull left_behind);

/// Whether a child that was left behind still waits in the kernel.
int clinux_still_waits(int child);

/// Loads a module by the program modprobe(8), in a child process as above.
///
/// Returns the program's exit status, 128 and the signal's number where one killed it, 127 where
/// it could not be run, or the negative of an error number.
long clinux_load_module(const char *_Nonnull modprobe, const char *_Nonnull module,
                        uint64_t deadline_ns, int *_Nonnull left_behind);

/// Sends one request to rtnetlink(7) and takes the first message of the answer, in a child process
/// as above: the kernel carries the request out in the call itself, under a lock of all interfaces.
///
/// Returns the length of the answer, -EMSGSIZE where it does not fit, or the negative of another
/// error number. What the answer says is the caller's to find out.
long clinux_ask_rtnetlink(const void *_Nonnull request, size_t length, void *_Nonnull answer,
                          size_t capacity, uint64_t deadline_ns, int *_Nonnull left_behind);

/// Unloads a module that nobody uses (delete_module(2) with O_NONBLOCK), in a child process as
/// above: its own end may take long.
///
/// -EAGAIN says that somebody uses it, -EBUSY that it cannot be unloaded.
long clinux_unload_module(const char *_Nonnull module, uint64_t deadline_ns,
                          int *_Nonnull left_behind);

/// What a process leaves behind that a signal ends.
struct clinux_last_words {
  /// The exit status.
  int status;
  const char *_Nonnull domain;
  const char *_Nonnull phase;
  /// What follows for the domain, as the end of a sentence.
  const char *_Nonnull consequence;
  /// The socket of the journal.
  const char *_Nonnull journal;
  /// A file that is made, unless it is there, so that somebody looks again.
  const char *_Nonnull mark;
};

/// The `MESSAGE_ID=` of what a process says that was ended by a signal.
#define CLINUX_CRASH_ID "8a2a0f6d27b14d0c9ac0a3a9b6a1d94e"

/// Has each signal that would end this process end it with a status of its own choice, once it has
/// made the mark and told the journal; where the journal does not listen, or the status is not 0, it
/// tells standard error. Signals that no fault raises and nobody sends to end a process are blocked, SIGPIPE
/// among them. SIGKILL cannot be caught.
///
/// The texts are copied, and cut where they are longer than 255 bytes. The handler belongs to the
/// thread that called, and children that share memory do not have it.
int clinux_contain_crashes(const struct clinux_last_words *_Nonnull words);

/// Goes on in a child, where it returns 0. The process itself stands by, passes on what signals come for it,
/// and ends as the child does; for one that a signal ends which cannot be caught, it leaves what is left
/// behind otherwise. So the kernel and others may kill whoever has the memory, and the caller hears of a
/// status. Where there is no child, the error number, negative, and this process goes on.
int clinux_work_in_child(void);

/// Keeps a copy of what the process works on, for its digest in the last words.
void clinux_remember_input(const void *_Nullable bytes, size_t length);

/// Opens a child process; what is opened can be read from once the child has ended (pidfd_open(2)).
int clinux_open_process(int pid);

/// Lowers the limits on memory that can be written to (RLIMIT_DATA) and on CPU time (RLIMIT_CPU), which
/// then come as SIGABRT or SIGILL, and as SIGXCPU (setrlimit(2)). The children of this file do not have
/// them. A limit that is lower already stays.
int clinux_limit(uint64_t memory_bytes, uint64_t cpu_seconds);

/// Sends one datagram to a socket in the file system, or fails with -EAGAIN rather than wait.
int clinux_send_datagram(int fd, const char *_Nonnull path, const void *_Nonnull bytes,
                         size_t length);

/// Connects a stream to a socket in the file system and returns its descriptor, which never blocks
/// and is closed in programs that this one runs.
///
/// -EAGAIN says that the listener's queue is full; nothing is waited for.
int clinux_connect(const char *_Nonnull path);

#ifdef __cplusplus
}
#endif

#endif
