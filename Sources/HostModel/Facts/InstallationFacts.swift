internal import Bytes

/// How a host is set up for its domains, beyond what any plan is made from.
package struct InstallationFacts: Hashable, Sendable {
  /// The parameters of the kernel's command line, in their order.
  package var bootParameters: [BootParameter] = []
  /// How many groups the IOMMU has made (`/sys/kernel/iommu_groups`).
  package var iommuGroups = 0
  /// Whether libvirt is installed here.
  package var hasLibvirt = false
  /// The unit of the daemon that runs the hooks.
  package var libvirtDaemon = "libvirtd"
  /// Whether the host is a node of Proxmox VE.
  package var hasProxmox = false
  /// libvirt's `qemu` hooks in the order in which it runs them.
  package var hooks: [HookFile] = []
  /// What is missing of what repairs after sleep and after CPUs were offline.
  package var missingRepair: MissingRepair?
  /// Whether AppArmor confines libvirt's daemon.
  package var confinesByAppArmor = false
  /// Whether SELinux is there and enforces its policy.
  package var enforcesSELinux = false
  /// The page sizes in KiB for which hugetlbfs is mounted.
  package var hugetlbfsKiB: [Int] = []
  /// `Hugepagesize:` of `/proc/meminfo`; nil where the kernel has no huge pages.
  package var defaultHugepageKiB: Int?
  /// Swap areas in use.
  package var swaps: [String] = []
  /// `/sys/kernel/mm/ksm/run`.
  package var ksm: String?
  package var numaBalancing: String?
  /// Free blocks of at least 2 MiB by node, in units of 2 MiB; empty where the kernel does not tell.
  package var freeBlocks: [Int: Int] = [:]

  package init() {}

  /// The values that a parameter has on the command line, in their order.
  package func values(of parameter: String) -> [String] {
    bootParameters.filter { $0.name == parameter }.map(\.value)
  }
}

/// What keeps `berth-reconcile.service` from being run.
package enum MissingRepair: Hashable, Sendable {
  /// A file that is not there.
  case file(String)
  /// A unit that is not enabled.
  case enabling(unit: String)
}

/// One parameter of the kernel's command line.
package struct BootParameter: Hashable, Sendable {
  package var name: String
  /// Empty for one that is a word alone.
  package var value: String

  package init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

/// A program that libvirt runs as its `qemu` hook, or would.
package struct HookFile: Hashable, Sendable {
  package var path: String
  /// Where it leads, without links on the way; its own path where it is no link.
  package var target: String
  /// Why it is not run, as the end of “it …”; nil for one that is.
  package var objection: String?

  package init(path: String, target: String, objection: String? = nil) {
    self.path = path
    self.target = target
    self.objection = objection
  }

  /// Whether it is Berth, by the name of its program.
  package var isBerth: Bool { target.ends(with: "/berth") }
}
