internal import Bytes
internal import HostModel
internal import Port

/// Whether a module of the kernel is loaded.
///
/// What was handed to it when it was loaded by hand is lost with it; what modprobe.d(5) says is
/// not. A module that somebody uses stays: the kernel refuses at once (`O_NONBLOCK` of
/// delete_module(2)).
struct ModulePlace: Place {
  let kernel: any Kernel
  let name: String

  private var folder: HostPath { "/sys/module/\(name)" }

  func read(until deadline: Deadline) throws(HostError) -> Value {
    // What is part of the kernel itself has no such file: it is nobody's to unload.
    kernel.exists(folder) ? ModuleState.loaded : ModuleState.absent
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    switch value {
    case ModuleState.loaded: try kernel.loadModule(named: name, until: deadline)
    case ModuleState.absent: try unload(until: deadline)
    default: throw unsupported(value, at: folder)
    }
  }

  private func unload(until deadline: Deadline) throws(HostError) {
    do throws(HostError) {
      try kernel.unloadModule(named: name, until: deadline)
    } catch  where [.again, .busy].contains(ErrorNumber(error.errno)) {
      throw HostError(
        .write, "module \(name)", value: "not loaded", errno: error.errno, diagnosis: users())
    } catch  where ErrorNumber(error.errno) == .notFound {
      // It is gone already, which is what was wanted.
    }
  }

  /// Who uses the module, as far as the kernel tells: it knows other modules by name, and anybody
  /// else by number.
  private func users() -> String {
    let holders = (try? kernel.entries(of: "\(folder)/holders")) ?? []
    if !holders.isEmpty { return "\(holders.joined(separator: ", ")) uses it" }
    let count = try? kernel.text(of: "\(folder)/refcnt").trimmed
    return "it is in use" + (count.map { ", \($0) times" } ?? "")
  }
}
