#include "czstd.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

// What the library's header says of these (zstd.h, stable since 1.4.0).
struct input {
  const void *bytes;
  size_t size, position;
};
struct output {
  void *bytes;
  size_t size, position;
};
enum { compression_level = 100, checksum_flag = 201, level = 12 };

static struct {
  unsigned (*isError)(size_t code);
  const char *(*getErrorName)(size_t code);
  size_t (*compressBound)(size_t length);
  void *(*createCCtx)(void);
  size_t (*freeCCtx)(void *context);
  size_t (*CCtx_setParameter)(void *context, int parameter, int value);
  size_t (*compress2)(void *context, void *to, size_t capacity, const void *from, size_t length);
  void *(*createDCtx)(void);
  size_t (*freeDCtx)(void *context);
  size_t (*decompressStream)(void *context, struct output *to, struct input *from);
} zstd;

#define FIND(name) ((zstd.name = (__typeof__(zstd.name))dlsym(library, "ZSTD_" #name)))

// Never closed, as if it had been linked.
static int load(void) {
  if (zstd.decompressStream) return 1;
  void *library = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);
  return library && FIND(isError) && FIND(getErrorName) && FIND(compressBound) &&
         FIND(createCCtx) && FIND(freeCCtx) && FIND(CCtx_setParameter) && FIND(compress2) &&
         FIND(createDCtx) && FIND(freeDCtx) && FIND(decompressStream);
}

long czstd_compress(const void *bytes, size_t length, void **result) {
  if (!load()) return -ELIBACC;
  size_t capacity = zstd.compressBound(length);
  void *context = zstd.createCCtx();
  *result = malloc(capacity ? capacity : 1);
  long size = -ENOMEM;
  if (context && *result) {
    zstd.CCtx_setParameter(context, compression_level, level);
    zstd.CCtx_setParameter(context, checksum_flag, 1);
    size_t written = zstd.compress2(context, *result, capacity, bytes, length);
    size = zstd.isError(written) ? -ENOMEM : (long)written;
  }
  zstd.freeCCtx(context);
  return size;
}

/// Makes room for more, up to the limit.
static int grow(struct output *to, size_t limit) {
  if (to->size > limit) return -EFBIG;
  size_t size = to->size ? to->size * 2 : 1 << 16;
  // One byte above the limit tells that there is more than that.
  if (size > limit) size = limit + 1;
  void *bytes = realloc(to->bytes, size);
  if (!bytes) return -ENOMEM;
  to->bytes = bytes;
  to->size = size;
  return 0;
}

static long decompress(void *context, struct input *from, struct output *to, size_t limit,
                       const char **reason) {
  size_t left = 1;
  for (;;) {
    if (to->position == to->size) {
      int error = grow(to, limit);
      if (error < 0) return error;
    }
    size_t taken = from->position, made = to->position;
    left = zstd.decompressStream(context, to, from);
    if (zstd.isError(left)) {
      *reason = zstd.getErrorName(left);
      return -EBADMSG;
    }
    if (to->position > limit) return -EFBIG;
    if (from->position < from->size) continue;
    if (left == 0) return (long)to->position;
    if (taken == from->position && made == to->position) return -ENODATA;
  }
}

long czstd_decompress(const void *bytes, size_t length, size_t limit, void **result,
                      const char **reason) {
  if (!load()) return -ELIBACC;
  void *context = zstd.createDCtx();
  if (!context) return -ENOMEM;
  struct input from = {bytes, length, 0};
  struct output to = {NULL, 0, 0};
  long size = decompress(context, &from, &to, limit, reason);
  zstd.freeDCtx(context);
  *result = to.bytes;
  return size;
}
