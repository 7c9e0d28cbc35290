// System calls that leave no trace in the caller's memory.
//
// A child that lives in its parent's memory has the parent's errno, too, and so may use none of the C
// library's own wrappers.

#ifndef CLINUX_RAW_H
#define CLINUX_RAW_H

#include <linux/sched.h>
#include <stddef.h>
#include <sys/syscall.h>

/// What the kernel answers: a result, or the negative of an error number.
static inline long raw6(long call, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(call), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = call;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
#else
#error "how does this machine make system calls?"
#endif
}

static inline long raw3(long call, long a, long b, long c) { return raw6(call, a, b, c, 0, 0, 0); }

/// Makes a child that calls a function on a stack of its own (clone3(2)), which never returns.
static inline long raw_child(struct clone_args *arguments, void (*run)(void *), void *context) {
#if defined(__x86_64__)
  long result;
  __asm__ volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "mov %[context], %%rdi\n\t"
      "call *%[run]\n\t"
      "ud2\n"
      "1:"
      : "=a"(result)
      : "a"((long)SYS_clone3), "D"(arguments), "S"(sizeof *arguments), [run] "r"(run),
        [context] "r"(context)
      : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = SYS_clone3;
  register long x0 __asm__("x0") = (long)arguments;
  register long x1 __asm__("x1") = sizeof *arguments;
  __asm__ volatile(
      "svc 0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x0, %[context]\n\t"
      "blr %[run]\n\t"
      "brk 1\n"
      "1:"
      : "+r"(x0)
      : "r"(x8), "r"(x1), [run] "r"(run), [context] "r"(context)
      : "memory");
  return x0;
#endif
}

#endif
