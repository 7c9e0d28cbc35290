// The part of libzstd that Berth uses, which is loaded by the first call of it: only the captures of
// hosts are compressed. Debian's dpkg needs the library, so that every Debian host has it.
//
// Each function returns -ELIBACC where the library is missing.

#ifndef CZSTD_H
#define CZSTD_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Compresses bytes into one frame with a checksum; `*result` is the caller's to free.
///
/// Returns the frame's length, or the negative of an error number.
long czstd_compress(const void *_Nonnull bytes, size_t length, void *_Nullable *_Nonnull result);

/// Decompresses all frames of some bytes; `*result` is the caller's to free.
///
/// Returns the length, or the negative of an error number: -EFBIG for more than `limit` bytes,
/// -ENODATA where the last frame has no end, -EBADMSG for what is no such frame or does not fit its
/// checksum, with the library's word for it in `reason`.
long czstd_decompress(const void *_Nonnull bytes, size_t length, size_t limit,
                      void *_Nullable *_Nonnull result, const char *_Nullable *_Nonnull reason);

#ifdef __cplusplus
}
#endif

#endif
