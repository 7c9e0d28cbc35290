/// What a key of the policy costs, and what may go wrong with it, in one line each.
struct PolicyPrice: Sendable {
  /// nil for nothing worth a word.
  var cost: String?
  var risk: String?

  /// By the paths of the keys; every key is here.
  static let of: [String: PolicyPrice] = [
    "enabled": PolicyPrice(risk: "with false a VM that needs huge pages or devices may not start"),
    "isolation": PolicyPrice(
      cost: "the host has those CPUs no more while the VM runs",
      risk: "a host left with few CPUs is slow, and so is the VM's own emulator"),
    "hugepages.reserve": PolicyPrice(cost: "milliseconds at the start, seconds on a full host"),
    "hugepages.required": PolicyPrice(
      risk: "with false QEMU may fail with a message of its own, or on the wrong node"),
    "memory.compact": PolicyPrice(
      cost: "a CPU for up to seconds, before the start; others that allocate on the node wait"),
    "memory.drop-caches": PolicyPrice(
      cost: "every program of the host reads its files from disk again"),
    "pci.bind": PolicyPrice(
      cost: "the host loses the functions while the VM is active",
      risk: "a driver that cannot let go hangs; the start is refused then"),
    "pci.driver": PolicyPrice(),
    "pci.force": PolicyPrice(risk: "what the host has open on the function is lost"),
    "pci.required": PolicyPrice(risk: "with false the VM may start without its device"),
    "pci.give-back": PolicyPrice(
      cost: "the host's driver starts again after each stop",
      risk: "a GPU that does not reset may hang its driver"),
    "pci.rescan": PolicyPrice(
      cost: "a second or more before the start, with a lock over all of PCI",
      risk: "a card that is not found again stays away until a reboot; kernels up to 6.2 crashed"),
    "sriov.vfs": PolicyPrice(
      cost: "memory and queues of the card are divided",
      risk: "a function that the host uses keeps the number after the VM has left"),
    "sriov.functions": PolicyPrice(risk: "a trusted guest may see and send more than its own"),
    "pci.wait": PolicyPrice(cost: "a start that takes so long, and a search through all processes"),
    "pci.unload": PolicyPrice(
      risk: "what a module was given by hand when it was loaded is lost with it"),
    "pci.reset-method": PolicyPrice(
      risk: "a card that is reset otherwise than the kernel would choose may not come back"),
    "pci.d3cold": PolicyPrice(cost: "false: power"),
    "pci.power-control": PolicyPrice(cost: "on: power, while no VM has the functions open"),
    "pci.bar-size": PolicyPrice(
      cost: "addresses below the bridge, and some milliseconds for each change",
      risk: "a guest's driver that does not know the size may not start"),
    "display.release-consoles": PolicyPrice(
      cost: "no text console on any screen of the host while the VM is active",
      risk: "the firmware's framebuffer does not come back before the next boot"),
    "pins.vcpus": PolicyPrice(risk: "two vCPUs on one CPU are slower than two that may roam"),
    "pins.iothreads": PolicyPrice(risk: "an iothread on a busy CPU makes disks slow"),
    "pins.emulator": PolicyPrice(risk: "an emulator on a vCPU's CPU interrupts it"),
    "pins.guest-threads": PolicyPrice(),
    "scheduler.fifo-priority": PolicyPrice(
      risk: "a vCPU that never idles starves everything else on its CPU, the kernel's work too"),
    "scheduler.core-cookie": PolicyPrice(
      cost: "a sibling that has none of QEMU's threads to run stays idle"),
    "cpu.governor": PolicyPrice(
      cost: "power and heat, also of host CPUs that share a frequency with the VM's"),
    "cpu.energy-preference": PolicyPrice(cost: "power and heat"),
    "cpu.min-frequency": PolicyPrice(
      cost: "power and heat", risk: "cores held at their maximum leave others less boost"),
    "cpu.boost": PolicyPrice(
      cost: "of the whole host: false makes everything slower, true less even"),
    "cpu.max-wakeup-latency": PolicyPrice(
      cost: "power and heat; CPUs that do not sleep leave others less boost"),
    "cpu.contested": PolicyPrice(
      risk: "with refuse the other VM does not start; with yield this one loses its isolation there"
    ),
    "cpu.watchdog": PolicyPrice(risk: "a lockup of the host on those CPUs goes unnoticed"),
    "cpu.whole-cores": PolicyPrice(
      cost: "the host has the other threads of the vCPUs' cores no more while the VM runs",
      risk: "a VM that is pinned to such a thread does not start meanwhile"),
    "interrupts.move": PolicyPrice(cost: "the host's other CPUs serve the interrupts"),
    "interrupts.device-cpus": PolicyPrice(
      cost: "a look at the host's interrupts every 30 seconds",
      risk: "a busy CPU there makes the device slow"),
    "kernel-threads.move": PolicyPrice(cost: "the host's other CPUs do the kernel's work"),
    "settings": PolicyPrice(
      cost: "they are the whole host's, of every other VM and program, too",
      risk: "depends on the setting"),
    "services.stop": PolicyPrice(
      cost: "the host does without them; a display manager ends the session on the screen",
      risk: "one that does not start again stays missing until it is noticed"),
    "companions.stop": PolicyPrice(
      cost: "a shutdown and a start of the other VM",
      risk: "a guest that does not listen to its power button holds up the start in vain"),
    "companions.patience": PolicyPrice(cost: "how much longer a start may take"),
    "companions.required": PolicyPrice(risk: "with false both VMs may run at once"),
    "commands": PolicyPrice(
      cost: "what the commands take, before the start", risk: "they run as root"),
    "host.stay-awake": PolicyPrice(cost: "power, while the VM runs"),
    "budget.before-start": PolicyPrice(cost: "how long a user may wait for a start"),
    "budget.running": PolicyPrice(cost: "how long libvirt or Proxmox may wait for a hook"),
    "budget.giving-back": PolicyPrice(
      cost: "how long a stop may take",
      risk: "what is not done in time is done at the next event only"),
    "limits.host-memory": PolicyPrice(
      cost: "memory that no VM gets as huge pages",
      risk: "with too little the host kills programs for want of memory"),
    "limits.host-cpus": PolicyPrice(
      cost: "CPUs that no VM has to itself", risk: "a host with one CPU left is slow"),
    "limits.cpus": PolicyPrice(cost: "a VM that is pinned elsewhere is not isolated"),
    "limits.nodes": PolicyPrice(cost: "a VM that is bound to other nodes gets no huge pages"),
    "limits.metadata": PolicyPrice(
      risk: "with any, whoever may define a VM overrides the administrator"),
    "proxmox.names": PolicyPrice(
      risk: "whoever may rename a VM chooses its policy, its commands as root among it"),
  ]
}
