// The limits that a child of Berth's does not keep.

#ifndef LIMITS_H
#define LIMITS_H

#include <sys/resource.h>

#include "raw.h"

enum { clinux_limit_count = 2 };

/// What stood there before `clinux_limit`: of RLIMIT_DATA and RLIMIT_CPU.
struct clinux_limits {
  int is_lowered[clinux_limit_count];
  rlim_t found[clinux_limit_count];
};

extern struct clinux_limits clinux_limits;

/// Gives this process the limits that its caller was called with: what the kernel does for it may take
/// CPU time for minutes, as huge pages do. Of what may be called in a child that shares memory.
static inline void lift_limits(void) {
  static const int numbers[clinux_limit_count] = {RLIMIT_DATA, RLIMIT_CPU};
  for (int index = 0; index < clinux_limit_count; index++) {
    if (!clinux_limits.is_lowered[index]) continue;
    struct rlimit64 limit;
    if (raw6(SYS_prlimit64, 0, numbers[index], 0, (long)&limit, 0, 0) < 0) continue;
    limit.rlim_cur = clinux_limits.found[index];
    raw6(SYS_prlimit64, 0, numbers[index], (long)&limit, 0, 0, 0);
  }
}

#endif
