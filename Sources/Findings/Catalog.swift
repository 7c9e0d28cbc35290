/// Every check, in the order in which findings of one severity are told.
package enum CheckCatalog {
  package static let ofHosts: [any HostCheck] = [
    PolicyCheck(), HypervisorCheck(), IOMMUCheck(), HookCheck(), RepairCheck(), HugetlbfsCheck(),
    BootReservationCheck(),
    BalancerCheck(), MemoryHabitsCheck(), SharedCPUsCheck(), KeptOutCheck(),
  ]

  package static let ofDomains: [any DomainCheck] = [
    PlanCheck(), IsolationCheck(), PinsCheck(), OrdinaryPagesCheck(), DepartedFunctionCheck(),
    HookscriptCheck(), UnseenStartCheck(),
    ConfigurationCheck(), AffinityCheck(),
    IOMMUGroupCheck(), DeviceNodeCheck(), MemoryNodeCheck(), SplitCoresCheck(), SplitCachesCheck(),
    GuestTopologyCheck(), OtherThreadsCheck(), SchedulerCheck(), FragmentationCheck(),
    DiskThreadCheck(), LinkCheck(), GuestBusCheck(), EnlightenmentsCheck(),
  ]
}
