// The mathematics of libm, which is loaded by the first call of it.
//
// Swift's numbers bring references to all of it and Berth's code calls none on the way of a hook, but
// to load it takes a tenth of the time that a small hook has. The functions are libm's own by name
// and meaning. One that is missing here has the library loaded at the start, as everywhere.
//
// Rounding up is done here: each dictionary and each set is made by it (`_HashTable.scale(forCapacity:)`
// of Swift's standard library), and a processor of the oldest kind has no instruction for it.

#include <dlfcn.h>
#include <stdlib.h>

#define INSTEAD __attribute__((weak, visibility("hidden")))

// Never closed: the library stays for as long as the process, as if it had been linked.
static void *find(const char *name) {
  static void *library;
  if (!library) library = dlopen("libm.so.6", RTLD_LAZY | RTLD_LOCAL);
  void *found = library ? dlsym(library, name) : NULL;
  if (!found) abort();
  return found;
}

#define FORWARD(result, name, parameters, arguments)      \
  INSTEAD result name parameters {                        \
    static result(*loaded) parameters;                    \
    if (!loaded) loaded = (__typeof__(loaded))find(#name); \
    return loaded arguments;                              \
  }

// No number with a fraction is as great as that.
#define WHOLE 4503599627370496.0

/// As ceil(3): what is not a number, infinite or without a fraction stays, and so does the sign of 0.
INSTEAD double ceil(double x) {
  if (!(x > -WHOLE && x < WHOLE)) return x;
  double whole = (double)(long long)x;
  if (whole < x) whole += 1;
  return __builtin_copysign(whole, x);
}

// A function in its three widths.
#define ONE(name)                                         \
  FORWARD(double, name, (double x), (x))                  \
  FORWARD(float, name##f, (float x), (x))                 \
  FORWARD(long double, name##l, (long double x), (x))

#define TWO(name)                                                          \
  FORWARD(double, name, (double x, double y), (x, y))                      \
  FORWARD(float, name##f, (float x, float y), (x, y))                      \
  FORWARD(long double, name##l, (long double x, long double y), (x, y))

ONE(acos) ONE(acosh) ONE(asin) ONE(asinh) ONE(atan) ONE(atanh) ONE(cbrt) ONE(cos)
ONE(cosh) ONE(erf) ONE(erfc) ONE(exp) ONE(exp2) ONE(expm1) ONE(floor) ONE(log) ONE(log10)
ONE(log1p) ONE(log2) ONE(logb) ONE(nearbyint) ONE(rint) ONE(round) ONE(sin) ONE(sinh) ONE(sqrt)
ONE(tan) ONE(tanh) ONE(tgamma) ONE(trunc)

FORWARD(float, ceilf, (float x), (x))
FORWARD(long double, ceill, (long double x), (x))

TWO(atan2) TWO(fdim) TWO(fmax) TWO(fmin) TWO(fmod) TWO(hypot) TWO(nextafter) TWO(pow)
TWO(remainder)

FORWARD(double, fma, (double x, double y, double z), (x, y, z))
FORWARD(float, fmaf, (float x, float y, float z), (x, y, z))
FORWARD(long double, fmal, (long double x, long double y, long double z), (x, y, z))

FORWARD(double, remquo, (double x, double y, int *bits), (x, y, bits))
FORWARD(float, remquof, (float x, float y, int *bits), (x, y, bits))
FORWARD(long double, remquol, (long double x, long double y, int *bits), (x, y, bits))

FORWARD(double, lgamma_r, (double x, int *sign), (x, sign))
FORWARD(float, lgammaf_r, (float x, int *sign), (x, sign))
FORWARD(long double, lgammal_r, (long double x, int *sign), (x, sign))

FORWARD(double, nan, (const char *tag), (tag))
FORWARD(float, nanf, (const char *tag), (tag))
FORWARD(long double, nanl, (const char *tag), (tag))

FORWARD(double, modf, (double x, double *whole), (x, whole))
FORWARD(float, modff, (float x, float *whole), (x, whole))
FORWARD(long double, modfl, (long double x, long double *whole), (x, whole))

FORWARD(double, scalbn, (double x, int n), (x, n))
FORWARD(float, scalbnf, (float x, int n), (x, n))
FORWARD(long double, scalbnl, (long double x, int n), (x, n))

FORWARD(double, j0, (double x), (x))
FORWARD(double, j1, (double x), (x))
FORWARD(double, y0, (double x), (x))
FORWARD(double, y1, (double x), (x))
FORWARD(double, jn, (int n, double x), (n, x))
FORWARD(double, yn, (int n, double x), (n, x))
