// What Swift's run-time does before `main`, quieted.
//
// A hook is over within a millisecond, and the statically linked run-time spends much of it on what
// a hook has no use for. Each definition here takes the place of one in an archive of the run-time,
// whose object file is then not linked, nor are its constructors run. Weak, so that a toolchain whose
// run-time is cut differently links as before, and only starts slower. Hidden, so that nothing
// changes where the run-time is a shared library, as in a debug build and in the tests.

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define INSTEAD __attribute__((weak, visibility("hidden")))

// The arguments (stdlib/public/CommandLineSupport/CommandLine.cpp). The run-time looks for them on the
// stack, whose place it reads from /proc/self/maps; glibc hands them to every constructor.

static char **argument_values;
static int argument_count;

__attribute__((constructor)) static void keep_arguments(int count, char **values) {
  argument_count = count;
  argument_values = values;
}

INSTEAD char **_swift_stdlib_getUnsafeArgvArgc(int *count) {
  *count = argument_count;
  return argument_values;
}

INSTEAD void _swift_stdlib_overrideUnsafeArgvArgc(char **values, int count) {
  argument_count = count;
  argument_values = values;
}

// The tracer of crashes (stdlib/public/runtime/Backtrace.cpp). The run-time looks for the program
// `swift-backtrace` in six folders and asks whether the output is a terminal; no host has the
// program, which comes with the compiler. All zero, the settings say that it is off.

INSTEAD const uint64_t _swift_backtraceSettings[32] = {0};

INSTEAD _Bool _swift_backtrace_isThunkFunction(const char *name) {
  (void)name;
  return 0;
}

// The queues of libdispatch (stdlib/public/Concurrency). ArgumentParser has commands that wait, and
// with them come the executors and, behind them, a library that counts the CPUs as it is loaded.
// Berth has no such command and makes no thread: none of these is ever called.

static _Noreturn void refuse(void) {
  static const char text[] = "berth: Swift's concurrency needs what Sources/CStart leaves out\n";
  (void)!write(STDERR_FILENO, text, sizeof text - 1);
  abort();
}

#define REFUSED(name) \
  INSTEAD void name(void) { refuse(); }

REFUSED(swift_dispatchEnqueueGlobal)
REFUSED(swift_dispatchEnqueueMain)
REFUSED(swift_dispatchEnqueueWithDeadline)
REFUSED(swift_task_enqueueOnDispatchQueue)
REFUSED(dispatch_assert_queue)
REFUSED(dispatch_main)

INSTEAD uint64_t _dispatch_main_q[32];
