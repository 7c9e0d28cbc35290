/// Every tuning, in the order in which a plan applies them; giving back runs backwards.
package let catalog: [any Tuning] = [
  Companions(),
  StoppedServices(),
  Commands(),
  MemoryCompaction(),
  HugepageReservation(),
  SlotRescan(),
  PCIBinding(),
  VirtualFunctions(),
  KernelSettings(),
  ThreadPinning(),
  Isolation(),
  Interrupts(),
  VCPUScheduler(),
  CPUFrequency(),
  IdleStates(),
  StayAwake(),
]
