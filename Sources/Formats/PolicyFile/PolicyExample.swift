internal import Bytes
internal import HostModel

/// What may stand behind each key of the policy.
extension PolicyKey {
  /// The types of the values that its reader takes, of which its example's is the first.
  var type: String {
    let written = [exampleValue, standard].compactMap(PolicyValue.init(toml:))
    let tried = Self.trials.filter { value in
      var policy = Policy()
      do throws(PolicyValueError) {
        try read(value, &policy)
        return true
      } catch {
        return false
      }
    }
    var types: [String] = []
    for value in written + tried where !types.contains(value.type) { types.append(value.type) }
    return types.joined(separator: " or ")
  }

  /// The simplest of each type, which a key takes that takes any.
  private static let trials: [PolicyValue] = [
    .bool(true), .integer(0), .integer(1), .array([]), .table([:]),
  ]

  /// What the key takes, by what its reader says of a value that no key takes.
  var allowed: String {
    var policy = Policy()
    do throws(PolicyValueError) {
      try read(.other("?"), &policy)
      return ""
    } catch {
      return error.expected
    }
  }

  /// A line that sets the key, behind the header of its section if that is one for all VMs together.
  var example: String {
    guard let table else { return "\(path) = \(exampleValue)" }
    return "[\(table)]\n\(path.droppingFirst(table.utf8.count + 1)) = \(exampleValue)"
  }

  private var exampleValue: String { Self.examples[path] ?? standard }

  /// Values other than the defaults, by the paths of the keys; every key is here.
  static let examples: [String: String] = [
    "enabled": "false",
    "isolation": "\"slices\"",
    "hugepages.reserve": "false",
    "hugepages.required": "false",
    "memory.compact": "\"always\"",
    "memory.drop-caches": "true",
    "pci.bind": "[\"0000:0b:00.0\", \"0000:0c:00\"]",
    "pci.driver": "\"mlx5_vfio_pci\"",
    "pci.force": "[\"0000:0b:00.0\"]",
    "pci.required": "false",
    "pci.give-back": "false",
    "pci.rescan": "[\"0000:0b:00\"]",
    "sriov.vfs": "{ \"0000:41:00.0\" = 2 }",
    "sriov.functions": "{ \"enp65s0/1\" = { \"trust\" = true, \"vlan\" = 69 } }",
    "pci.wait": "\"10s\"",
    "pci.unload": "[\"nvidia_drm\", \"nvidia_modeset\", \"nvidia\"]",
    "pci.reset-method": "\"bus\"",
    "pci.d3cold": "false",
    "pci.power-control": "\"on\"",
    "pci.bar-size": "{ \"0000:45:00.0/0\" = \"16GiB\" }",
    "display.release-consoles": "true",
    "pins.vcpus": "[\"4\", \"12\", \"5\", \"13\"]",
    "pins.iothreads": "[\"2-3\"]",
    "pins.emulator": "\"2-3\"",
    "pins.guest-threads": "2",
    "scheduler.fifo-priority": "1",
    "scheduler.core-cookie": "true",
    "cpu.governor": "\"performance\"",
    "cpu.energy-preference": "\"performance\"",
    "cpu.min-frequency": "\"2400MHz\"",
    "cpu.boost": "false",
    "cpu.max-wakeup-latency": "3",
    "cpu.contested": "\"yield\"",
    "cpu.watchdog": "false",
    "cpu.whole-cores": "true",
    "interrupts.move": "\"always\"",
    "interrupts.device-cpus": "\"2-3\"",
    "kernel-threads.move": "\"never\"",
    "settings": "{ \"vm.stat_interval\" = 10 }",
    "services.stop": "[\"display-manager\"]",
    "companions.stop": "[\"idle-vm\"]",
    "companions.patience": "\"2m\"",
    "companions.required": "true",
    "commands": "[{ \"at\" = \"started\", \"run\" = [\"/usr/local/sbin/lights\", \"off\"] }]",
    "host.stay-awake": "true",
    "budget.before-start": "\"5m\"",
    "budget.running": "\"10s\"",
    "budget.giving-back": "\"1m\"",
    "limits.host-memory": "\"4GiB\"",
    "limits.host-cpus": "\"0,8\"",
    "limits.cpus": "\"4-7,12-15\"",
    "limits.nodes": "\"1\"",
    "limits.metadata": "\"none\"",
    "proxmox.names": "true",
  ]
}
