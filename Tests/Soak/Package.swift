// swift-tools-version: 6.2
import PackageDescription

/// The rules of the project's own package.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

// The engine and its tests alone, so that a changed engine is built in seconds. `copy_engine` in `copy-engine.sh`
// puts the sources beside a copy of this file.
let package = Package(
  name: "berth-soak",
  targets: [
    .target(name: "Bytes", swiftSettings: strict),
    .target(name: "HostModel", dependencies: ["Bytes"], swiftSettings: strict),
    .target(name: "Ledger", dependencies: ["Bytes", "HostModel"], swiftSettings: strict),
    .testTarget(name: "LedgerTests", dependencies: ["Ledger", "HostModel"], swiftSettings: strict),
  ]
)
