/// CRC-32 as IEEE 802.3 defines it: it finds every single flipped bit and every torn end.
struct Checksum {
  private var remainder: UInt32 = 0xffff_ffff

  /// Goes on with more bytes, eight at a time: a ledger of many VMs is read at every phase.
  mutating func add(_ bytes: ArraySlice<UInt8>) {
    var remainder = remainder
    Self.remainders.withUnsafeBufferPointer { table in
      bytes.withUnsafeBufferPointer { bytes in
        var index = 0
        while index + 8 <= bytes.count {
          let low =
            remainder
            ^ (UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8
              | UInt32(bytes[index + 2]) << 16 | UInt32(bytes[index + 3]) << 24)
          let first = table[1792 | Int(low & 255)] ^ table[1536 | Int(low >> 8 & 255)]
          let second = table[1280 | Int(low >> 16 & 255)] ^ table[1024 | Int(low >> 24)]
          let third = table[768 | Int(bytes[index + 4])] ^ table[512 | Int(bytes[index + 5])]
          let fourth = table[256 | Int(bytes[index + 6])] ^ table[Int(bytes[index + 7])]
          remainder = first ^ second ^ third ^ fourth
          index += 8
        }
        while index < bytes.count {
          remainder =
            remainder >> 8 ^ table[Int(UInt8(truncatingIfNeeded: remainder) ^ bytes[index])]
          index += 1
        }
      }
    }
    self.remainder = remainder
  }

  /// The sum of all bytes until now, in hexadecimal.
  var text: String { String(~remainder, radix: 16) }

  /// What each byte adds, and behind these what it adds with one to seven bytes after it.
  private static let remainders: [UInt32] = {
    var table = (0..<256).map { byte in
      (0..<8).reduce(UInt32(byte)) { remainder, _ in
        remainder >> 1 ^ (remainder & 1 == 0 ? 0 : 0xedb8_8320)
      }
    }
    table.reserveCapacity(2048)
    for index in 256..<2048 {
      let before = table[index - 256]
      table.append(before >> 8 ^ table[Int(before & 255)])
    }
    return table
  }()
}
