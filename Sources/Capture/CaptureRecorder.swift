internal import Bytes
internal import Formats
internal import Glibc
internal import HostModel
internal import Port

/// Walks a host and keeps what stands at its places.
///
/// A link is kept as a link, also on the way to a place, and what is behind it where it really is:
/// so the record is one tree, in which every path leads to where it leads on the host.
struct CaptureRecorder {
  let kernel: any KernelReader
  private(set) var items: [HostPath: RecordedHost.Item] = [:]
  /// What could not be read, with the reason.
  private(set) var failures: [HostError] = []
  /// Where each link on a way leads; nil for what is no link.
  private var links: [HostPath: String?] = [:]
  private var listings: [HostPath: [String]] = [:]

  /// No folder of the kernel's is as deep; a ring of folders would have no end.
  private static let depthMax = 12

  init(kernel: any KernelReader) { self.kernel = kernel }

  mutating func record(_ places: CapturedPlaces) {
    let folder = places.folder.fields(at: "/").map(String.init)
    for folder in expanded(folder[...], from: .root) {
      for name in places.names {
        let parts = name.fields(at: "/").map(String.init)
        for above in expanded(parts.dropLast(), from: folder) {
          for last in names(matching: parts.last ?? "", in: above) {
            record("\(above)/\(last)", places.manner)
          }
        }
      }
    }
  }

  /// Whether something stands at a place, or below it.
  func has(_ place: HostPath) -> Bool {
    items[place] != nil || items.keys.contains { $0.begins(with: place) }
  }

  /// Keeps a text that the host does not tell by itself.
  mutating func put(_ text: String, at place: HostPath) { items[place] = .file(text) }

  mutating func put(link target: String, at place: HostPath) { items[place] = .link(target) }

  /// Keeps what is left of a file at a place without links; nothing where there is none.
  mutating func put(at place: HostPath, _ filter: (String) -> String?) {
    do throws(HostError) {
      if let kept = filter(try kernel.text(of: place)) { items[place] = .file(kept) }
    } catch {
      note(error)
    }
  }

  /// A file's text, and where it really is; nil where there is none.
  mutating func text(of path: HostPath) -> (place: HostPath, text: String)? {
    guard let place = resolved(path, followsLast: true) else { return nil }
    do throws(HostError) {
      return (place, try kernel.text(of: place))
    } catch {
      let isRefused = [EACCES, EIO].contains(error.errno)
      // Many files of the kernel's take a text and have none: even root cannot read these.
      if isRefused, geteuid() == 0 || error.errno == EIO, kernel.isWritable(place) {
        return (place, "")
      }
      note(error)
      return nil
    }
  }

  private mutating func record(_ path: HostPath, _ manner: CapturedPlaces.Manner) {
    switch manner {
    case .text:
      if let (place, text) = text(of: path) { items[place] = .file(text) }
    case .filtered(let filter):
      guard let (place, text) = text(of: path), let kept = filter(text, path.description) else {
        return
      }
      items[place] = .file(kept)
    case .existence: recordExistence(of: path)
    case .folders:
      guard let place = resolved(path, followsLast: false), link(at: place) == nil,
        isFolder(place)
      else { return }
      items[place] = .folder
    case .everything: recordEverything(at: path, depth: 0)
    }
  }

  private mutating func recordExistence(of path: HostPath) {
    guard let place = resolved(path, followsLast: false) else { return }
    if let target = link(at: place) {
      items[place] = .link(target)
      // A program is one wherever it really is.
      if kernel.isExecutable(place), let real = resolved(place, followsLast: true) {
        items[real] = items[real] ?? .file("", isProgram: true)
      }
    } else if isFolder(place) {
      items[place] = items[place] ?? .folder
    } else if kernel.exists(place) {
      items[place] = items[place] ?? .file("", isProgram: kernel.isExecutable(place))
    }
  }

  private mutating func recordEverything(at path: HostPath, depth: Int) {
    guard let place = resolved(path, followsLast: false), depth < Self.depthMax else { return }
    if let target = link(at: place) {
      items[place] = .link(target)
    } else if isFolder(place) {
      items[place] = .folder
      for name in listing(of: place) {
        recordEverything(at: "\(place)/\(name)", depth: depth + 1)
      }
    } else if let (place, text) = text(of: place) {
      items[place] = .file(text)
    }
  }
}

extension CaptureRecorder {
  /// The places that a path with `*` and the like in it stands for.
  private mutating func expanded(_ parts: ArraySlice<String>, from place: HostPath) -> [HostPath] {
    guard let first = parts.first else { return [place] }
    var found: [HostPath] = []
    for name in names(matching: first, in: place) {
      let path: HostPath = "\(place)/\(name)"
      guard let folder = resolved(path, followsLast: true) else { continue }
      // Of the deepest ones there may be thousands: whether they are there shows with their files.
      found += expanded(parts.dropFirst(), from: folder)
    }
    return found
  }

  private mutating func names(matching pattern: String, in folder: HostPath) -> [String] {
    guard pattern.utf8.contains(where: "*?[".utf8.contains) else { return [pattern] }
    return listing(of: folder).filter { fnmatch(pattern, $0, FNM_PERIOD) == 0 }
  }

  private mutating func listing(of folder: HostPath) -> [String] {
    if let names = listings[folder] { return names }
    var names: [String] = []
    do throws(HostError) {
      names = try kernel.entries(of: folder)
    } catch {
      note(error)
    }
    listings[folder] = names
    return names
  }

  private mutating func isFolder(_ place: HostPath) -> Bool {
    if listings[place] != nil { return true }
    do throws(HostError) {
      listings[place] = try kernel.entries(of: place)
      return true
    } catch {
      return false
    }
  }

  /// The place that a path leads to, without links on the way, each of which is kept; nil for a
  /// ring of links.
  private mutating func resolved(_ path: HostPath, followsLast: Bool) -> HostPath? {
    PathWalk.place(of: path, followsLast: followsLast) { place in
      guard let target = link(at: place) else { return nil }
      items[place] = .link(target)
      return Array(target.utf8)
    }
  }

  private mutating func link(at place: HostPath) -> String? {
    if let known = links[place] { return known }
    let target = try? kernel.destination(of: place)
    links[place] = .some(target)
    return target
  }

  /// Absence is no failure, nor is a file that has nothing to say now.
  private mutating func note(_ error: HostError) {
    let numbers: [Int32] = [EACCES, EPERM, EFBIG, EILSEQ]
    if numbers.contains(error.errno) || error.diagnosis != nil { failures.append(error) }
  }
}
