internal import HostModel

/// Undoes what a hypervisor has left of a pin that the kernel refused.
///
/// libvirt writes the CPUs into the vCPU's group, and then gives them to its thread (src/qemu/qemu_driver.c,
/// `qemuDomainPinVcpuLive()`). While the group is a partition that has none of them, that is `EINVAL`: the
/// command fails, the live XML stays as it is, and the group keeps a list that nobody wants. It would be in
/// effect as soon as the partition ends.
struct RefusedPins: Tuning {
  static let name = "refused-pins"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    guard request.phase == .reconnect, request.domain.hypervisor == .libvirt,
      request.policy.isolation != .none, !request.domain.vcpuPins.isEmpty
    else { return needs }
    needs.process = true
    needs.vcpuGroupCPUs = true
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard request.phase == .reconnect, let process = host.process else { return plan }
    for (vcpu, cpus) in process.vcpuGroupCPUs.sorted(by: { $0.key < $1.key }) {
      guard let group = process.vcpuGroups[vcpu], let pin = request.domain.vcpuPins[vcpu],
        !cpus.isEmpty, cpus != pin, isPartition(group, host)
      else { continue }
      let name = "vCPU \(vcpu) of \(request.domain.name)"
      plan.steps.append(
        PlannedStep(
          .correct(.cpuset(group: group), .cpus(pin)), because: "\(name) is pinned to \(pin)"))
      plan.warnings.append(
        "\(name) stays on CPU \(pin), which it has to itself: the kernel has refused to pin it to \(cpus);"
          + " pin it to \(pin.union(cpus)) first, and then to \(cpus)")
    }
    return plan
  }

  /// Whether the domain has made a group a partition.
  private func isPartition(_ group: String, _ host: HostFacts) -> Bool {
    host.claimed.contains(
      .attribute(path: "/sys/fs/cgroup/\(group)/cpuset.cpus.partition", .text))
  }
}
